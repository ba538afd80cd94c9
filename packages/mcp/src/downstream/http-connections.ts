import type { Socket } from 'node:net'
import { CONNECTIONS_MAX, UNPROVEN_CONNECTIONS_MAX } from '../limits.js'

/**
 * Connections that have not yet sent a token. Every client can open them and keep them until they time out, so
 * their number is limited, per address and in total, and the oldest is closed first. A client with the token sends
 * it with its first bytes.
 */
export class UnprovenConnections {
  readonly #sockets = new Set<Socket>()

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // In order of arrival.
    const all = [...this.#sockets]
    const own = all.filter(({ remoteAddress }) => remoteAddress === socket.remoteAddress)
    if (own.length > UNPROVEN_CONNECTIONS_MAX) this.#end(own[0])
    else if (all.length > CONNECTIONS_MAX / 2) this.#end(all[0])
  }

  /** The connection has sent an allowed request. */
  prove(socket: Socket): void {
    this.#sockets.delete(socket)
  }

  #end(socket: Socket | undefined): void {
    if (socket === undefined) return
    this.#sockets.delete(socket)
    socket.destroy()
  }
}
