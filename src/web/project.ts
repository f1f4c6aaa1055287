/** Of administrators: the project that they look at; undefined = all. */
import { signal } from '@preact/signals'

export const shownProject = signal<string | undefined>(undefined)
