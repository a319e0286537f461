import ChangeStore
import LinuxKernel

/// The directories that were renamed since the cursor: what is in them need not be sent again.
struct RenameMap {
    /// One directory, by absolute paths.
    struct Rename: Equatable {
        /// Where it was at the cursor.
        let from: [UInt8]
        /// Where it was last seen.
        let to: [UInt8]
        /// The name before its last is known to be nobody's.
        var isSourceGone = false

        /// What a path in the directory is called now, by its old name or its new one.
        func newNames(of path: [UInt8]) -> [[UInt8]] {
            [from, to].compactMap { RenameMap.rest(of: path, below: $0) }.map { to + [UInt8(ascii: "/")] + $0 }
        }
    }

    /// The outermost ones, in the order in which they happened.
    private(set) var renames: [Rename] = []
    /// Every name that a renamed directory had before its last.
    private var former: Set<[UInt8]> = []

    /// Directories took each other's names, or may have: the rows do not tell which of them is where now. The content
    /// that the destination has under a name may look like another's then, so nothing is to be made from it.
    private(set) var isAmbiguous = false

    /// Some row told of a deletion.
    private(set) var hasDeletions = false

    /// Some row tells of what is no longer tracked.
    private(set) var hasUntracked = false

    /// More would hardly be worth it: each is a run of rsync of its own.
    private static let most = 256

    /// Reads the history.
    init(_ reader: StoreReader, after cursor: Int64, through end: Int64) throws {
        try reader.run(HistoryScan(after: cursor, through: end)) { row in
            if row.kind == .deleted {
                hasDeletions = true
                if row.type == .directory { delete(row.record.path) }
            }
            if row.kind == .untracked { hasUntracked = true }
            if row.kind == .moved, row.type == .directory {
                let record = row.record
                if let from = record.from { add(from: from, to: record.path) }
            }
            return .next
        }
    }

    init() {}

    /// Adds what one row says.
    mutating func add(from: [UInt8], to: [UInt8]) {
        former.insert(from)
        former.remove(to)
        if let earlier = renames.firstIndex(where: { $0.to == from }) {
            // What is moved on is what had come there, unless there had been something before: of two that are exchanged
            // neither name is ever gone.
            if !renames[earlier].isSourceGone { isAmbiguous = true }
            let origin = renames[earlier].from
            renames.remove(at: earlier)
            if origin != to { renames.append(Rename(from: origin, to: to)) }
            return
        }
        // What lies in a renamed directory moved with it.
        if renames.contains(where: { Self.isSameMove(from, to, as: $0) }) { return }
        if renames.count < Self.most { renames.append(Rename(from: from, to: to)) }
    }

    /// A directory's name is gone.
    mutating func delete(_ path: [UInt8]) {
        for index in renames.indices where renames[index].from == path { renames[index].isSourceGone = true }
    }

    /// `from` and `to` are the same entry below the two names of a rename.
    private static func isSameMove(_ from: [UInt8], _ to: [UInt8], as rename: Rename) -> Bool {
        guard let rest = Self.rest(of: from, below: rename.from), let other = Self.rest(of: to, below: rename.to)
        else { return false }
        return rest == other
    }

    /// What follows the name of a directory and a slash; nil for a path that is not in it.
    static func rest(of path: [UInt8], below directory: [UInt8]) -> ArraySlice<UInt8>? {
        guard path.count > directory.count, path[directory.count] == UInt8(ascii: "/"), path.starts(with: directory)
        else { return nil }
        return path[(directory.count + 1)...]
    }

    /// The path lies in a renamed directory, by one name or the other.
    func concerns(_ path: [UInt8]) -> Bool { renames.contains { !$0.newNames(of: path).isEmpty } }

    /// The rename with the deepest new name that a path lies below, and what follows that name.
    func innermost(_ path: [UInt8]) -> (number: Int, rest: ArraySlice<UInt8>)? {
        renames.enumerated().compactMap { number, rename in
            Self.rest(of: path, below: rename.to).map { (number, $0) }
        }.min { $0.1.count < $1.1.count }
    }

    /// The path is a former name of a renamed directory, or below one.
    func isFormer(_ path: [UInt8]) -> Bool {
        isFormerName(path) || isInFormer(path)
    }

    /// The path lies below a former name of a renamed directory.
    func isInFormer(_ path: [UInt8]) -> Bool {
        !former.isEmpty && BatchPlan.parents(of: path).contains { former.contains($0) }
    }

    /// The path is itself a former name of a renamed directory.
    func isFormerName(_ path: [UInt8]) -> Bool { !former.isEmpty && former.contains(path) }
}
