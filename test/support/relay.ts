import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { DataSourceOptions } from 'typeorm';

/** A network between the application and its server, which a test can take away. */
export class Relay {
  private readonly sockets = new Set<Socket>();
  private state: 'carries' | 'is silent' | 'is down' = 'carries';

  private constructor(
    private readonly target: { host: string; port: number },
    private readonly given: DataSourceOptions,
    private readonly listener = createServer({ pauseOnConnect: true }),
  ) {
    listener.on('connection', (client) => this.carry(client));
  }

  static async start(options: DataSourceOptions): Promise<Relay> {
    const { hostname, port } = new URL((options as { url: string }).url);
    const relay = new Relay({ host: hostname, port: Number(port) }, options);
    await once(relay.listener.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  /** Those of the server, by way of the relay. */
  get options(): DataSourceOptions {
    const url = new URL((this.given as { url: string }).url);
    url.port = String((this.listener.address() as AddressInfo).port);
    return { ...this.given, url: url.toString() } as DataSourceOptions;
  }

  /** Nothing arrives any more, and nobody is told. */
  silence(): void {
    this.state = 'is silent';
  }

  /** Connections break, and new ones too. */
  cut(): void {
    this.state = 'is down';
    for (const socket of this.sockets) socket.destroy();
  }

  /** Carries again, for new connections: those that have been silent are missing something. */
  restore(): void {
    if (this.state !== 'carries') this.cut();
    this.state = 'carries';
  }

  close(): void {
    this.listener.close();
    this.cut();
  }

  private carry(client: Socket): void {
    if (this.state === 'is down') return void client.destroy();
    const server = connect(this.target);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (data) => this.state === 'carries' && to.write(data));
      from.on('error', () => undefined).on('close', () => to.destroy());
      from.on('close', () => this.sockets.delete(from));
    }
    client.resume();
  }
}
