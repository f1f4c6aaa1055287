/** The overview of a project, its lists and its search; the page. */
import type { Range } from './range.ts'

/** Rows of one page of a list, the worst first. */
export const OVERVIEW_PAGE: Range = { min: 1, max: 100 }
export const OVERVIEW_PAGE_DEFAULT = 100
/** Characters of a search; the longest name fits. */
export const SEARCH_MAX = 255
/** Members whose status a search reads; the worst of these are shown. */
export const SEARCH_CANDIDATES_MAX = 1000
/** The newest changes that the overview shows. */
export const OVERVIEW_CHANGES = 12
/** Projects that administrators are shown, those with most members OFFLINE first. */
export const OVERVIEW_PROJECTS_MAX = 100

/** Seconds for which a browser keeps the files of the page, whose names have a hash of their content: a year. */
export const UI_ASSET_MAX_AGE_SECONDS = 31_536_000
/** Members with a certificate that ends soon that an overview counts: each is looked up. */
export const OVERVIEW_CERTIFICATES_MAX = 1000
