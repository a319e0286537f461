import CSQLite
import Synchronization

/// SQLite's own access to files, but that it opens nothing for writing and makes nothing.
///
/// A read-only connection of SQLite opens the write-ahead log for writing all the same, and makes it where there is none
/// (wal.c, sqlite3WalOpen); who may not do that goes without. Here everybody does. As root it also gives the log and its
/// shared memory to the owner of the store's file each time it opens them (os_unix.c, robustFchown), which moves their
/// times: that call does nothing in a process that reads so.
enum BystanderFiles {
    private typealias Methods = UnsafePointer<sqlite3_io_methods>

    private static let name: StaticString = "nfs-changes-bystander"

    /// What to give to sqlite3_open_v2.
    static var vfsName: UnsafePointer<CChar> {
        _ = isRegistered
        return UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    private static let isRegistered: Bool = {
        guard let unix = sqlite3_vfs_find("unix") else { return false }
        let leaveOwner: @convention(c) (Int32, UInt32, UInt32) -> Int32 = { _, _, _ in 0 }
        _ = unix.pointee.xSetSystemCall(unix, "fchown", unsafeBitCast(leaveOwner, to: sqlite3_syscall_ptr.self))
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: unix.pointee)
        vfs.pointee.zName = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        vfs.pointee.pNext = nil
        vfs.pointee.xOpen = { vfs, path, file, flags, outFlags in
            guard let unix = sqlite3_vfs_find("unix"), let open = unix.pointee.xOpen else { return SQLITE_CANTOPEN }
            let reading = flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_READONLY
            var code = open(vfs, path, file, reading, outFlags)
            // Without a log everything is in the store's file, as with an empty one.
            if code & 0xFF == SQLITE_CANTOPEN, flags & SQLITE_OPEN_WAL != 0 {
                code = open(vfs, "/dev/null", file, reading, outFlags)
            }
            if code == SQLITE_OK, flags & SQLITE_OPEN_MAIN_DB != 0, let file { tolerateMissingMemory(file) }
            return code
        }
        return sqlite3_vfs_register(vfs, 0) == SQLITE_OK
    }()

    // MARK: The log's shared memory

    /// The methods of a file that has shared memory, and those that do without: addresses, 0 before the first file.
    private static let methods = Mutex((original: UInt(0), tolerant: UInt(0)))

    /// Where the shared memory is not there, SQLite is told that nobody keeps it up to date: it then reads the log into
    /// memory of its own, and looks for the shared one again with each transaction (wal.c, walBeginShmUnreliable).
    private static func tolerateMissingMemory(_ file: UnsafeMutablePointer<sqlite3_file>) {
        guard let original = file.pointee.pMethods, original.pointee.iVersion >= 2 else { return }
        let address = methods.withLock { methods -> UInt in
            if methods.original == 0 {
                methods = (UInt(bitPattern: original), UInt(bitPattern: tolerant(original)))
            }
            return methods.original == UInt(bitPattern: original) ? methods.tolerant : 0
        }
        if let tolerant = Methods(bitPattern: address) { file.pointee.pMethods = tolerant }
    }

    private static func tolerant(_ original: Methods) -> Methods {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: original.pointee)
        methods.pointee.xShmMap = { file, page, size, extend, memory in
            let original = Methods(bitPattern: BystanderFiles.methods.withLock { $0.original })
            let code = original?.pointee.xShmMap(file, page, size, extend, memory) ?? SQLITE_IOERR
            return code & 0xFF == SQLITE_CANTOPEN ? csqlite_readonly_cantinit : code
        }
        methods.pointee.xShmLock = { file, offset, count, flags in
            let original = Methods(bitPattern: BystanderFiles.methods.withLock { $0.original })
            let code = original?.pointee.xShmLock(file, offset, count, flags) ?? SQLITE_IOERR
            // Nothing to lock: os_unix.c says so only where the memory is not there (unixShmLock).
            return code == csqlite_ioerr_shmlock ? SQLITE_OK : code
        }
        return Methods(methods)
    }
}
