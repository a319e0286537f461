public import ChangeStore
import Glibc
import LinuxKernel
import SystemPackage
import Tracking

/// Compares the index with the disk: every name, and every attribute whose difference is a change.
///
/// It reads the store as a reader does and the disk by itself; the tracker may run meanwhile. What differs only in its
/// time of change is not counted: such a difference raises no event, and the next walk finds it.
public final class IndexVerification {
    private let reader: IndexReader
    private let exclude: ExcludeList
    private let own: Set<[UInt8]>
    private let lister = DirectoryLister()

    /// One difference, as a line for people.
    public struct Difference: Hashable, Sendable {
        public let path: [UInt8]
        public let text: String
    }

    /// - Throws: `StoreError`, `notFound` where there is no store.
    public init(stateDirectory: [UInt8]) throws(StoreError) {
        // Its checks of place and schema hold for the index as well.
        _ = try StoreReader(stateDirectory: stateDirectory)
        reader = try IndexReader(stateDirectory: stateDirectory)
        let patterns = Self.list(try reader.note("exclude"))
        do throws(PatternError) {
            exclude = try ExcludeList(patterns: patterns)
        } catch {
            throw StoreError(reason: .corrupt, operation: "reading the exclude patterns", message: "\(error)")
        }
        own = Set(Self.list(try reader.note("own")))
    }

    private static func list(_ note: [UInt8]?) -> [[UInt8]] { (note ?? []).split(separator: 0).map(Array.init) }

    /// Every difference there is now, in no particular order.
    public func differences() throws(StoreError) -> [Difference] {
        let directories = try reader.directories()
        let byID = Dictionary(directories.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        var found: [Difference] = []
        for directory in directories {
            guard let place = Self.place(of: directory, byID) else {
                found.append(Difference(path: directory.name, text: "a directory of the index has no place"))
                continue
            }
            try compare(directory, at: place.path, relative: place.relative, &found)
        }
        return found
    }

    /// A directory's absolute path, and the one below its root.
    private static func place(
        of directory: StoredDirectory, _ all: [DirectoryID: StoredDirectory]
    ) -> (path: [UInt8], relative: [UInt8])? {
        var names: [[UInt8]] = []
        var current = directory
        while current.parent != .roots {
            names.append(current.name)
            guard let parent = all[current.parent], names.count < 100_000 else { return nil }
            current = parent
        }
        let slash: [UInt8] = [UInt8(ascii: "/")]
        let relative = Array(names.reversed().joined(separator: slash))
        return (relative.isEmpty ? current.name : current.name + slash + relative, relative)
    }

    private func compare(
        _ directory: StoredDirectory, at path: [UInt8], relative: [UInt8], _ found: inout [Difference]
    ) throws(StoreError) {
        let listed: [[UInt8]: FileStatus]
        do throws(Errno) {
            guard let entries = try list(directory, at: path, relative: relative) else { return }
            listed = entries
        } catch {
            // What may not be read is compared by who may; a root that is missing is a matter of the status.
            let isMissingRoot = directory.parent == .roots && error == .noSuchFileOrDirectory
            if error == .permissionDenied || isMissingRoot { return }
            found.append(Difference(path: path, text: "is in the index and cannot be listed: \(error)"))
            return
        }
        var onDisk = listed
        for (name, entry) in try reader.entries(of: directory.id) {
            let full = path + [UInt8(ascii: "/")] + name
            guard let status = onDisk.removeValue(forKey: name) else {
                // Another file system says nothing about the names that it hides.
                if entry.key.fileSystem == directory.identity.key.fileSystem {
                    found.append(Difference(path: full, text: "is in the index and not on the disk"))
                }
                continue
            }
            let fields = Self.differingFields(entry, status)
            if !fields.isEmpty {
                found.append(Difference(path: full, text: "differs in \(fields.joined(separator: ", "))"))
            }
        }
        for name in onDisk.keys {
            found.append(
                Difference(path: path + [UInt8(ascii: "/")] + name, text: "is on the disk and not in the index"))
        }
    }

    /// What is in a directory, less the excluded; nil for one that is held: another than the index means.
    private func list(
        _ directory: StoredDirectory, at path: [UInt8], relative: [UInt8]
    ) throws(Errno) -> [[UInt8]: FileStatus]? {
        let opened = try OpenDirectory(path, access: .list)
        guard opened.status.inode == directory.identity.key.inode else { return nil }
        let descriptor = opened.descriptor.number
        var entries: [[UInt8]: FileStatus] = [:]
        var failure: Errno?
        try lister.list(descriptor) { name, length, _, _ in
            let bytes = [UInt8](UnsafeRawBufferPointer(start: name, count: length))
            do throws(Errno) {
                let status = try FileStatus.of(name, in: descriptor)
                if !isExcluded(bytes, status.isDirectory, path, relative) { entries[bytes] = status }
            } catch {
                if error != .noSuchFileOrDirectory { failure = error }
            }
        }
        if let failure { throw failure }
        return entries
    }

    private func isExcluded(_ name: [UInt8], _ isDirectory: Bool, _ path: [UInt8], _ relative: [UInt8]) -> Bool {
        if own.contains(path + [UInt8(ascii: "/")] + name) || name.elementsEqual(".zfs".utf8) { return true }
        return name.withUnsafeBufferPointer { exclude.excludes(name: $0, isDirectory: isDirectory) { relative } }
    }

    private static func differingFields(_ entry: IndexedEntry, _ status: FileStatus) -> [String] {
        let known = entry.attributes
        var fields: [String] = []
        if known.type != status.type { fields.append("type") }
        if entry.key.inode != status.inode { fields.append("inode") }
        if known.size != status.size { fields.append("size") }
        if known.mode != status.mode { fields.append("mode") }
        if known.owner != status.owner { fields.append("owner") }
        if known.group != status.group { fields.append("group") }
        if known.modified != status.modified { fields.append("mtime") }
        if known.deviceNumber != status.deviceNumber { fields.append("device number") }
        return fields
    }
}
