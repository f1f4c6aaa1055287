/** Which project the page is about. Two things decide it, and mostly only one of them is there. */
import { signal } from '@preact/signals'

/** Without identity: the project that one acts as, in a header of each request; empty = the default one of the service. */
export const chosenProject = signal(localStorage.getItem('project') ?? '')

export function chooseProject(id: string): void {
  localStorage.setItem('project', id)
  chosenProject.value = id
}

/** Of administrators: the project that they look at, as a parameter of what is read; undefined = all. */
export const shownProject = signal<string | undefined>(undefined)
