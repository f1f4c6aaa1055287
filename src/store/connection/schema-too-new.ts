/** In a file of its own: every command knows it, and few open a database. */

/** The database was migrated by a newer version of this program. */
export class SchemaTooNewError extends Error {
  constructor(names: readonly string[]) {
    super(
      `the database has migrations that this version does not know (${names.join(', ')}): it belongs to a newer ` +
        'version of healthmonitor; start that version, or restore a backup from before its upgrade',
    )
    this.name = 'SchemaTooNewError'
  }
}
