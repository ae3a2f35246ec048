// Preloaded into workers: the clock on the wall lies by as much as the nemesis says. performance.now() and timers do not.
const RealDate = Date;
let shift = 0;

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + shift);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + shift;
  }
};

process.on('message', (message) => {
  if (message.kind === 'clock') shift = message.shift;
});
