// Formats the open stops of a ledger for people; `--json` prints the same data.
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { scopeText } from '@sudoagent/ledger'
import type { InspectedStop } from '@sudoagent/ledger/inspect'
import { fieldRow } from '../../text/rows.js'

export function renderStops(stops: readonly InspectedStop[], columns: number | undefined): string {
  return stops.length === 0 ? 'no open stops\n' : stops.map((stop) => text(stop, columns)).join('\n')
}

function text(
  { stop_id: id, position, scope, reason, by, created_at: at, in_flight: open }: InspectedStop,
  columns: number | undefined,
): string {
  const rows = [
    ['stop', id],
    ['covers', escapeForTerminal(scopeText(scope))],
    ['since', `entry ${position}, ${at}, by ${escapeForTerminal(by)}`],
    ['reason', escapeForTerminal(reason)],
    [
      'in flight',
      open === 1
        ? '1 call was allowed before and had no outcome'
        : `${open} calls were allowed before and had no outcome`,
    ],
  ] as const
  return rows.map(([name, value]) => fieldRow(name, 'in flight'.length, value, { columns })).join('')
}
