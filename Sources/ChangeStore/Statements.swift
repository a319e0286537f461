/// The prepared statements of the hot path.
final class Statements {
    let insertEntry: Statement
    let selectEntry: Statement
    let selectAnyEntry: Statement
    let deleteEntry: Statement
    let insertInode: Statement
    let selectInode: Statement
    let updateAttributes: Statement
    let updateFirstName: Statement
    let deleteInode: Statement
    let insertLink: Statement
    let selectLink: Statement
    let deleteLink: Statement
    let listLinks: Statement
    let insertHistory: Statement
    let insertPath: Statement
    let insertCommit: Statement
    let insertDirectory: Statement
    let updateDirectory: Statement
    let deleteDirectory: Statement

    init(_ database: Database) throws(StoreError) {
        insertEntry = try database.prepare("INSERT OR IGNORE INTO entries VALUES (?1, ?2, ?3, ?4)")
        selectEntry = try database.prepare(
            """
            SELECT e.fs, e.inode, i.attributes, i.directory, i.name FROM entries e
            JOIN inodes i ON i.fs = e.fs AND i.inode = e.inode WHERE e.directory = ?1 AND e.hash = ?2
            """)
        selectAnyEntry = try database.prepare("SELECT 1 FROM entries WHERE directory = ?1 LIMIT 1")
        deleteEntry = try database.prepare(
            "DELETE FROM entries WHERE directory = ?1 AND hash = ?2 AND fs = ?3 AND inode = ?4")
        insertInode = try database.prepare(
            """
            INSERT INTO inodes(fs, inode, directory, name, attributes) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT(fs, inode) DO NOTHING
            """)
        selectInode = try database.prepare(
            "SELECT directory, name, attributes FROM inodes WHERE fs = ?1 AND inode = ?2")
        updateAttributes = try database.prepare("UPDATE inodes SET attributes = ?3 WHERE fs = ?1 AND inode = ?2")
        updateFirstName = try database.prepare(
            "UPDATE inodes SET directory = ?3, name = ?4 WHERE fs = ?1 AND inode = ?2")
        deleteInode = try database.prepare("DELETE FROM inodes WHERE fs = ?1 AND inode = ?2")
        insertLink = try database.prepare("INSERT OR IGNORE INTO links VALUES (?1, ?2, ?3, ?4)")
        selectLink = try database.prepare(
            "SELECT 1 FROM links WHERE fs = ?1 AND inode = ?2 AND directory = ?3 AND name = ?4")
        deleteLink = try database.prepare(
            "DELETE FROM links WHERE fs = ?1 AND inode = ?2 AND directory = ?3 AND name = ?4")
        listLinks = try database.prepare("SELECT directory, name FROM links WHERE fs = ?1 AND inode = ?2")
        insertHistory = try database.prepare("INSERT INTO history VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
        insertPath = try database.prepare("INSERT INTO paths(path) VALUES (?1)")
        insertCommit = try database.prepare("INSERT INTO commits VALUES (?1, ?2, ?3, ?4, ?5)")
        insertDirectory = try database.prepare(
            "INSERT INTO directories(parent, name, fs, inode, born) VALUES (?1, ?2, ?3, ?4, ?5)")
        updateDirectory = try database.prepare(
            "UPDATE directories SET parent = ?2, name = ?3, fs = ?4, inode = ?5, born = ?6 WHERE id = ?1")
        deleteDirectory = try database.prepare("DELETE FROM directories WHERE id = ?1")
    }
}
