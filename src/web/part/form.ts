/** What somebody wrote into a field of a form; empty for one that is not there. */
export function textIn(form: HTMLFormElement | FormData, name: string): string {
  const value = (form instanceof FormData ? form : new FormData(form)).get(name)
  return typeof value === 'string' ? value : ''
}
