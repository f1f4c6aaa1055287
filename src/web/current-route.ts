/** Where the page is now: it follows the address. */
import { signal } from '@preact/signals'
import { type Route, routeOf } from './route.ts'

export const route = signal<Route>(routeOf(location.hash))
addEventListener('hashchange', () => {
  route.value = routeOf(location.hash)
})
