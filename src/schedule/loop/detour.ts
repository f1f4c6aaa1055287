/**
 * Which socket the next probe of a check goes on, where answers on a shared one are lost (PROBER_OVERLOAD): whoever can
 * send to that socket fills its buffer, and a check that fails would be inconclusive for as long as that lasts. A check has
 * such an object from the first lost answer until a probe on the shared socket passes.
 *
 *   shared —(LOST_BEFORE_DEDICATED lost)→ dedicated —(DEDICATED_PROBES)→ one shared —passed→ over
 *                                             ↑————————————lost——————————————┘
 *
 * A failure on the shared socket counts as ever, and does not make up for what was lost: a flood that comes and goes must
 * not delay the next dedicated probe. While results in a row lead to another status, the shared socket is not tried: so at
 * most LOST_BEFORE_DEDICATED probes of a check that goes down are lost.
 */
import { DEDICATED_PROBES, LOST_BEFORE_DEDICATED } from '../../domain/limits.ts'
import type { Reason } from '../../domain/result/reasons.ts'

export class Detour {
  /** Probes on the shared socket that ended without an answer that could count, since one passed. */
  #lost = 0
  /** Probes on dedicated sockets until the shared one is tried again. */
  #left = 0

  /** Whether the next probe should have a socket of its own. `isInRow`: results in a row lead to another status. */
  isWanted(isInRow: boolean): boolean {
    return this.#lost >= LOST_BEFORE_DEDICATED && (this.#left > 0 || isInRow)
  }

  /** A probe on the shared socket has ended. True: it passed, and all is as before. */
  noteShared(reason: Reason): boolean {
    if (reason === 'PROBER_OVERLOAD' && ++this.#lost >= LOST_BEFORE_DEDICATED) this.#left = DEDICATED_PROBES
    return reason === 'PASSED'
  }

  noteDedicated(): void {
    if (this.#left > 0) this.#left--
  }
}
