/** Whether somebody looks at the page: a hidden tab asks the service nothing. `page-visibility.ts` has that of the page. */
export interface Visibility {
  readonly isVisible: () => boolean
  /** Calls `changed` whenever the page is shown or hidden; the returned function ends that. */
  readonly onVisibility: (changed: () => void) => () => void
}
