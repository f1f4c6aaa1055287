/** The table of dialects. Nobody else names one: a request carries its dialect. */
import { elb } from './dialect/elb/dialect.ts'
import { octavia } from './dialect/octavia/dialect.ts'

/** Every dialect that is served. What is outside of all of them refuses in the words of the first. */
export const DIALECTS = [elb, octavia] as const
export type DialectName = (typeof DIALECTS)[number]['name']
