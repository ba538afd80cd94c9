import type { Socket } from 'node:net'
import { CONNECTIONS_MAX, UNPROVEN_CONNECTIONS_MAX } from '../limits.js'

/**
 * Connections that have shown no token yet. Anybody can open them, and hold them until their time is up: so of one address and of all there
 * are only so many, and the oldest makes room. A client with the token shows it with its first bytes.
 */
export class UnprovenConnections {
  readonly #sockets = new Set<Socket>()

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // In the order in which they came.
    const all = [...this.#sockets]
    const own = all.filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress)
    if (own.length > UNPROVEN_CONNECTIONS_MAX) this.#end(own[0])
    else if (all.length > CONNECTIONS_MAX / 2) this.#end(all[0])
  }

  /** It has sent a request that may go on. */
  prove(socket: Socket): void {
    this.#sockets.delete(socket)
  }

  #end(socket: Socket | undefined): void {
    if (socket === undefined) return
    this.#sockets.delete(socket)
    socket.destroy()
  }
}
