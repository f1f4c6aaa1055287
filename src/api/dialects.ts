/** The table of dialects. No other module imports one: a request carries its dialect. */
import { elb } from './dialect/elb/dialect.ts'
import { octavia } from './dialect/octavia/dialect.ts'

/** Every dialect that is served. Refusals outside of all of them have the form of the first. */
export const DIALECTS = [elb, octavia] as const
export type DialectName = (typeof DIALECTS)[number]['name']
