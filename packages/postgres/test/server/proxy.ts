// Implements a loopback proxy that causes network faults. The proxy drops one client message, delivers the message
// late, or delivers the message and loses the answer.
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'

/**
 * The faults:
 * - `drop`: the message never reaches the server, and the proxy closes both connections.
 * - `late`: the proxy resets the client's connection, and the server gets the message `lateMs` later.
 * - `lose`: the server gets the message, and the proxy resets the client's connection before the answer.
 * - `stall`: the server gets the message, but the client gets nothing more.
 * - `hold`: like `stall`, but the server gets the message `lateMs` later.
 */
export type Fault = 'drop' | 'late' | 'lose' | 'stall' | 'hold'

type Place = { readonly path: string } | { readonly host: string; readonly port: number }

export class BrokenWay {
  readonly #server: Server
  readonly #target: Place
  readonly #sockets = new Set<Socket>()
  #armed: { readonly fault: Fault; readonly marker: string; readonly lateMs: number; readonly away: boolean } | null =
    null
  #refuses = false
  /** Number of faults that occurred. */
  struck = 0
  /** Number of messages that arrived late. */
  arrived = 0

  private constructor(server: Server, target: Place) {
    this.#server = server
    this.#target = target
    server.on('connection', (client) => this.#connect(client))
  }

  /** @param database - the URL of the database to connect to */
  static async start(database: string): Promise<BrokenWay> {
    const [, host = '', port = ''] = /@([^/:]*):(\d+)\//.exec(database) ?? []
    const name = decodeURIComponent(host)
    const target = name.startsWith('/') ? { path: `${name}/.s.PGSQL.${port}` } : { host: name, port: Number(port) }
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new BrokenWay(server, target)
  }

  /** Returns the URL for a connection through the proxy. */
  url(database: string): string {
    const address = this.#server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return database.replace(/@[^/]*\//, `@127.0.0.1:${port}/`)
  }

  /**
   * Applies a fault once, to the next message that contains `marker`. If `away` is true, the proxy refuses all later
   * connections.
   */
  arm(fault: Fault, marker: string, { lateMs = 300, away = false } = {}): void {
    this.#armed = { fault, marker, lateMs, away }
  }

  /** Sets whether the proxy refuses new connections. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #connect(client: Socket): void {
    if (this.#refuses) return void client.destroy()
    const server = createConnection(this.#target)
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    let isCut = false
    client.on('data', (chunk) => {
      const armed = this.#armed
      if (armed === null || !chunk.includes(armed.marker)) return void (isCut || server.write(chunk))
      this.#armed = null
      this.struck += 1
      isCut = true
      if (armed.away) this.#refuses = true
      const deliver = (): void => {
        server.write(chunk)
        this.arrived += 1
      }
      if (armed.fault === 'lose' || armed.fault === 'stall') server.write(chunk)
      if (armed.fault === 'late' || armed.fault === 'hold') setTimeout(deliver, armed.lateMs)
      if (armed.fault === 'lose') return void setTimeout(() => client.resetAndDestroy(), armed.lateMs)
      if (armed.fault !== 'stall' && armed.fault !== 'hold') client.resetAndDestroy()
      if (armed.fault === 'drop') server.destroy()
    })
    server.on('data', (chunk) => void (isCut || client.write(chunk)))
    // The connection to the server stays open while a message is delayed, as in a network that lost only the client.
    client.on('close', () => void (isCut || server.destroy()))
    server.on('close', () => void (isCut || client.destroy()))
  }
}
