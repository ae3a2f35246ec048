// CommonJS, for its `__dirname`: in a CommonJS application stock Jest has to rewrite this package, and what it does so with by
// default cannot rewrite `import.meta`.
import path = require('node:path');

export = path.join(__dirname, 'heartbeat.thread.js');
