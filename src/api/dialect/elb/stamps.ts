/** What elb shows of load balancers and listeners beside their own attributes: times and tags. */
import type { ConfigurationObject, Tag } from '../../../domain/types.ts'

/** `YYYY-MM-DDTHH:MM:SS`, UTC without a zone. */
export function elbTimes(object: ConfigurationObject): { created_at: string; updated_at: string } {
  return { created_at: elbTime(object.createdAt), updated_at: elbTime(object.updatedAt) }
}

function elbTime(date: Date): string {
  return date.toISOString().slice(0, 19)
}

/** Tags inside a body are strings (the SDKs decode them so); the tag paths show keys and values apart. */
export function elbTagWords(tags: readonly Tag[]): string[] {
  return tags.map(({ key, value }) => (value === '' ? key : `${key}=${value}`))
}
