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
    private let oneFileSystem: Bool
    private let lister = DirectoryLister()

    /// One difference, as a line for people.
    public struct Difference: Hashable, Sendable {
        public let path: [UInt8]
        public let text: String
    }

    /// - Throws: `StoreError`, `notFound` where there is no store.
    public init(stateDirectory: [UInt8]) throws(StoreError) {
        reader = try IndexReader(stateDirectory: stateDirectory)
        let patterns = Self.list(try reader.note("exclude"))
        do throws(PatternError) {
            exclude = try ExcludeList(patterns: patterns)
        } catch {
            throw StoreError(reason: .corrupt, operation: "reading the exclude patterns", message: "\(error)")
        }
        own = Set(Self.list(try reader.note("own")))
        oneFileSystem = try reader.note("one_file_system") == [UInt8(ascii: "1")]
    }

    private static func list(_ note: [UInt8]?) -> [[UInt8]] { (note ?? []).split(separator: 0).map(Array.init) }

    /// What a comparison came to, in no particular order.
    public struct Result: Sendable {
        public var differences: Set<Difference> = []
        /// Directories that could not be compared with all below them, and why: no word on whether they differ.
        public var skipped: Set<Difference> = []
    }

    /// Compares everything there is now.
    public func run() throws(StoreError) -> Result {
        let directories = try reader.directories()
        let byID = Dictionary(directories.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        var result = Result()
        var placed: [(directory: StoredDirectory, place: Place)] = []
        for directory in directories {
            if let place = Self.place(of: directory, byID) {
                placed.append((directory, place))
            } else {
                result.differences.insert(
                    Difference(path: directory.name, text: "a directory of the index has no place"))
            }
        }
        // Parents first: what is below a directory that is skipped is skipped with it.
        var skipped: Set<DirectoryID> = []
        for (directory, place) in placed.sorted(by: { $0.place.depth < $1.place.depth }) {
            if skipped.contains(directory.parent) {
                skipped.insert(directory.id)
            } else if try !compare(directory, byID[directory.parent], at: place, &result) {
                skipped.insert(directory.id)
            }
        }
        return result
    }

    /// A directory's absolute path, and the one below its root.
    private struct Place {
        let path: [UInt8]
        let relative: [UInt8]
        let depth: Int
    }

    private static func place(of directory: StoredDirectory, _ all: [DirectoryID: StoredDirectory]) -> Place? {
        var names: [[UInt8]] = []
        var current = directory
        while current.parent != .roots {
            names.append(current.name)
            guard let parent = all[current.parent], names.count < 100_000 else { return nil }
            current = parent
        }
        let slash: [UInt8] = [UInt8(ascii: "/")]
        let relative = Array(names.reversed().joined(separator: slash))
        return Place(
            path: relative.isEmpty ? current.name : current.name + slash + relative, relative: relative,
            depth: names.count)
    }

    /// - Returns: false when neither it nor what is below it can be compared.
    private func compare(
        _ directory: StoredDirectory, _ parent: StoredDirectory?, at place: Place, _ result: inout Result
    ) throws(StoreError) -> Bool {
        var onDisk: [[UInt8]: FileStatus]
        do throws(Errno) {
            switch try list(directory, parent, at: place) {
            case .entries(let entries): onDisk = entries
            case .notEntered: return false
            case .another:
                result.skipped.insert(
                    Difference(path: place.path, text: "another file system or directory is there: it is held"))
                return false
            }
        } catch {
            // A difference in the directory that it is in, if it is one.
            if error != .noSuchFileOrDirectory || directory.parent == .roots {
                result.skipped.insert(Difference(path: place.path, text: "cannot be listed: \(error)"))
            }
            return false
        }
        for (name, entry) in try reader.entries(of: directory.id) {
            let full = place.path + [UInt8(ascii: "/")] + name
            guard let status = onDisk.removeValue(forKey: name) else {
                result.differences.insert(Difference(path: full, text: "is in the index and not on the disk"))
                continue
            }
            let fields = Self.differingFields(entry, status)
            if !fields.isEmpty {
                result.differences.insert(
                    Difference(path: full, text: "differs in \(fields.joined(separator: ", "))"))
            }
        }
        for name in onDisk.keys {
            result.differences.insert(
                Difference(
                    path: place.path + [UInt8(ascii: "/")] + name, text: "is on the disk and not in the index"))
        }
        return true
    }

    private enum Listed {
        case entries([[UInt8]: FileStatus])
        /// On a file system that is not tracked.
        case notEntered
        /// Not the directory that the index means.
        case another
    }

    /// What is in a directory, less the excluded.
    private func list(
        _ directory: StoredDirectory, _ parent: StoredDirectory?, at place: Place
    ) throws(Errno) -> Listed {
        let opened = try OpenDirectory(place.path, access: .list)
        let descriptor = opened.descriptor.number
        if try FileSystemIdentity(of: descriptor).isForeign { return .notEntered }
        if oneFileSystem, let parent, parent.identity.key.fileSystem != directory.identity.key.fileSystem {
            return .notEntered
        }
        guard opened.status.inode == directory.identity.key.inode,
            opened.status.born.nanoseconds == directory.identity.born
        else { return .another }
        var entries: [[UInt8]: FileStatus] = [:]
        var failure: Errno?
        try lister.list(descriptor) { name, length, _, _ in
            let bytes = [UInt8](UnsafeRawBufferPointer(start: name, count: length))
            do throws(Errno) {
                let status = try FileStatus.of(name, in: descriptor)
                if !isExcluded(bytes, status.isDirectory, place) { entries[bytes] = status }
            } catch {
                if error != .noSuchFileOrDirectory { failure = error }
            }
        }
        if let failure { throw failure }
        return .entries(entries)
    }

    private func isExcluded(_ name: [UInt8], _ isDirectory: Bool, _ place: Place) -> Bool {
        if own.contains(place.path + [UInt8(ascii: "/")] + name) || name.elementsEqual(".zfs".utf8) { return true }
        return name.withUnsafeBufferPointer { exclude.excludes(name: $0, isDirectory: isDirectory) { place.relative } }
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
