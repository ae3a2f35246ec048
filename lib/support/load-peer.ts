import { MissingPeerError } from '../errors/missing-peer.error.js';

const NOT_FOUND: unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

/** What needs a package that not everybody has is loaded when it is asked for. @throws MissingPeerError */
export async function loadPeer<T>(peer: string, part: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const isMissing = error instanceof Error && NOT_FOUND.includes(Reflect.get(error, 'code'));
    if (isMissing && error.message.includes(`'${peer}'`)) throw new MissingPeerError(peer, part, { cause: error });
    throw error;
  }
}
