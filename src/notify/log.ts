/** What notify needs of a log: pino's shape, facts first. */
export interface NotifyLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}
