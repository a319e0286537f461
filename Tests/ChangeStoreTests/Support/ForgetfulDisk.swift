import CSQLite
import Synchronization

/// What a power loss leaves of SQLite's files: everything up to a file's last fsync, and of what was written after
/// that any part, in any order and torn at sectors.
///
/// A VFS on top of the Unix one (sqlite.org/vfs.html) that notes each write, truncation and sync of the files below
/// directories whose path starts with `prefix`; everything else passes through unseen.
enum ForgetfulDisk {
    static let prefix = "/tmp/nfs-changes-power-loss"
    private static let sector = 512

    private struct Write {
        let offset: Int
        /// Nil for a truncation to `offset`.
        let bytes: [UInt8]?
    }

    private struct File {
        /// What the last sync made safe.
        var durable: [UInt8] = []
        var pending: [Write] = []
        var syncs = 0
    }

    private struct State {
        var files: [String: File] = [:]
        /// By the address of SQLite's file object: its path, and the address of the Unix VFS's methods.
        var open: [UInt: (path: String, methods: UInt)] = [:]
        /// By the address of the Unix VFS's methods: that of the ones that take notes.
        var patched: [UInt: UInt] = [:]
    }

    private static let state = Mutex(State())

    /// Makes it the VFS of connections opened from now on.
    static func install() { _ = installed }

    private static let installed: Bool = {
        guard let unix = sqlite3_vfs_find(nil) else { return false }
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: unix.pointee)
        let name: StaticString = "forgetful"
        vfs.pointee.zName = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        vfs.pointee.pNext = nil
        vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
            guard let unix = sqlite3_vfs_find("unix"), let open = unix.pointee.xOpen else { return SQLITE_CANTOPEN }
            let code = open(vfs, name, file, flags, outFlags)
            guard code == SQLITE_OK, let name, let file else { return code }
            let path = String(cString: name)
            if path.hasPrefix(prefix) { follow(file, path) }
            return code
        }
        return sqlite3_vfs_register(vfs, 1) == SQLITE_OK
    }()

    private static func follow(_ file: UnsafeMutablePointer<sqlite3_file>, _ path: String) {
        guard let original = file.pointee.pMethods else { return }
        let methods = UInt(bitPattern: original)
        let mine = state.withLock { state in
            state.open[UInt(bitPattern: file)] = (path, methods)
            if state.files[path] == nil { state.files[path] = File() }
            if let known = state.patched[methods] { return known }
            let made = UInt(bitPattern: takingNotes(original))
            state.patched[methods] = made
            return made
        }
        file.pointee.pMethods = UnsafePointer(bitPattern: mine)
    }

    private static func takingNotes(_ original: UnsafePointer<sqlite3_io_methods>) -> UnsafePointer<sqlite3_io_methods>
    {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: original.pointee)
        methods.pointee.xWrite = { file, bytes, count, offset in
            let content = [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            let unix = ForgetfulDisk.note(file) { $0.pending.append(Write(offset: Int(offset), bytes: content)) }
            return unix?.pointee.xWrite(file, bytes, count, offset) ?? SQLITE_IOERR
        }
        methods.pointee.xTruncate = { file, size in
            let unix = ForgetfulDisk.note(file) { $0.pending.append(Write(offset: Int(size), bytes: nil)) }
            return unix?.pointee.xTruncate(file, size) ?? SQLITE_IOERR
        }
        methods.pointee.xSync = { file, flags in
            let unix = ForgetfulDisk.note(file) {
                for write in $0.pending { ForgetfulDisk.apply(write, to: &$0.durable) }
                $0.pending = []
                $0.syncs += 1
            }
            return unix?.pointee.xSync(file, flags) ?? SQLITE_IOERR
        }
        methods.pointee.xClose = { file in
            let unix = ForgetfulDisk.note(file) { _ in }
            ForgetfulDisk.state.withLock { _ = $0.open.removeValue(forKey: UInt(bitPattern: file)) }
            return unix?.pointee.xClose(file) ?? SQLITE_IOERR
        }
        return UnsafePointer(methods)
    }

    private static func note(
        _ file: UnsafeMutablePointer<sqlite3_file>?, _ change: (inout File) -> Void
    ) -> UnsafePointer<sqlite3_io_methods>? {
        let methods = state.withLock { state in
            guard let known = state.open[UInt(bitPattern: file)] else { return UInt(0) }
            change(&state.files[known.path, default: File()])
            return known.methods
        }
        return UnsafePointer(bitPattern: methods)
    }

    private static func apply(_ write: Write, to content: inout [UInt8]) {
        guard let bytes = write.bytes else {
            if content.count > write.offset { content.removeLast(content.count - write.offset) }
            return
        }
        let end = write.offset + bytes.count
        if content.count < end { content.append(contentsOf: repeatElement(0, count: end - content.count)) }
        content.replaceSubrange(write.offset..<end, with: bytes)
    }

    /// How often a file was synced.
    static func syncs(of path: String) -> Int { state.withLock { $0.files[path]?.syncs ?? 0 } }

    /// A file as it may be found after a power loss at this moment.
    static func afterPowerLoss(_ path: String, using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let file = state.withLock { $0.files[path] ?? File() }
        var content = file.durable
        let survivors: [Write]
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: survivors = []
        case 1: survivors = file.pending.filter { _ in Bool.random(using: &generator) }
        default: survivors = Array(file.pending.prefix(Int.random(in: 0...file.pending.count, using: &generator)))
        }
        for write in survivors.dropLast() { apply(write, to: &content) }
        if let last = survivors.last {
            guard let bytes = last.bytes, Bool.random(using: &generator) else {
                apply(last, to: &content)
                return content
            }
            let kept = Int.random(in: 0...bytes.count / sector, using: &generator) * sector
            apply(Write(offset: last.offset, bytes: Array(bytes[..<kept])), to: &content)
        }
        return content
    }

    /// Takes a file that is on the disk already.
    static func adopt(_ content: [UInt8], as path: String) {
        state.withLock { $0.files[path] = File(durable: content) }
    }

    /// Forgets everything below a directory.
    static func forget(_ directory: String) {
        state.withLock { $0.files = $0.files.filter { !$0.key.hasPrefix(directory + "/") } }
    }
}
