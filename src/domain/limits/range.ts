/** An inclusive range of whole numbers. */
export interface Range {
  readonly min: number
  readonly max: number
}
