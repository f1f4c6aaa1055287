/** The tables of dialects and of doors. No other module imports one: a request carries its dialect. */
import type { Door } from './dialect/door.ts'
import { greymatter } from './dialect/greymatter/dialect.ts'
import { elb } from './dialect/elb/dialect.ts'
import { kuma } from './dialect/kuma/dialect.ts'
import { octavia } from './dialect/octavia/dialect.ts'

/** Every dialect that is served. Refusals outside of all of them have the form of the first. */
export const DIALECTS = [elb, octavia] as const
export type DialectName = (typeof DIALECTS)[number]['name']

/** Every API whose objects are not those of LBaaS. */
export const DOORS: readonly Door[] = [greymatter, kuma]
