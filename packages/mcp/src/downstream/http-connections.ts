import type { Socket } from 'node:net'
import { CONNECTIONS_MAX, UNPROVEN_CONNECTIONS_MAX } from '../limits.js'

/**
 * Tracks connections that have not sent a token yet. Any client can open such connections and keep them open until
 * they time out. The number of these connections is therefore limited, per address and in total, and the oldest is
 * closed first. A client that has the token sends it with its first bytes.
 */
export class UnprovenConnections {
  readonly #sockets = new Set<Socket>()

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // A set lists its members in order of insertion, so the oldest comes first.
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
