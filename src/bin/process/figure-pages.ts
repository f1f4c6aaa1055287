/** `/metrics/pools` and `/metrics/members` of an API process, as far as they are asked for. */
import type { Config } from '../../runtime/config/config.ts'
import { figurePage, type MetricsPage } from '../../runtime/scrape/figure-page.ts'
import { FigureReading, type ReadRows } from '../../runtime/scrape/figure-reading.ts'
import { type FigureTable, MEMBER_TABLE, POOL_TABLE } from '../../runtime/metrics/figure-table.ts'
import type { Database } from '../../store/connection/database.ts'
import { readMemberFigures, readPoolFigures, type TakeFigures } from '../../store/status/figures.ts'

export interface FigurePages {
  /** By path. They refuse until `open`. */
  readonly pages: ReadonlyMap<string, MetricsPage>
  /** From now on they read from this database. */
  open(db: Database): void
}

export function figurePages({ metricsPages }: Pick<Config, 'metricsPages'>): FigurePages {
  let database: Database | undefined
  const pageOf = <Row>(
    table: FigureTable<Row>,
    read: (db: Database, take: TakeFigures<Row>) => Promise<number>,
  ) => {
    const readRows: ReadRows<Row> = (take) =>
      database === undefined ? Promise.reject(new Error('starting')) : read(database, take)
    return [`/metrics/${table.what}`, figurePage(new FigureReading({ table, read: readRows }))] as const
  }
  return {
    pages: new Map([
      ...(metricsPages.pools ? [pageOf(POOL_TABLE, readPoolFigures)] : []),
      ...(metricsPages.members ? [pageOf(MEMBER_TABLE, readMemberFigures)] : []),
    ]),
    open: (db) => {
      database = db
    },
  }
}
