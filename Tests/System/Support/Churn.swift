import Glibc
import LinuxKernel

/// Random operations on real directories, all from one seed, with a record of what each did: the oracle that sees
/// what two listings cannot, such as two writes within one tick of the file system's clock.
final class Churn {
    /// One operation that was made.
    struct Step: Sendable {
        let index: Int
        let operation: ChurnOperation
        /// The wall clock before the first and after the last system call.
        let began: Timestamp
        let ended: Timestamp
        /// Paths that changed and exist: each needs a row from `began` or later.
        var present: [Path] = []
        /// Paths that do not exist now and did before, or for a moment of the operation.
        var gone: [Path] = []
        /// Paths in `present` that did not exist for a moment of the operation.
        var flickered: [Path] = []
    }

    let seed: UInt64
    let roots: [Path]
    let outside: Path
    var random: SplitMix64
    var tree = ModelTree()
    private(set) var steps: [Step] = []
    /// Operations that this file system does not have: left out from their first refusal on.
    private(set) var unsupported: Set<ChurnOperation> = []
    private var nameCount = 0
    /// The inodes that were changed in place since everything was settled.
    private var changedInodes: Set<Int> = []
    /// The inode that was changed by a name in a directory so new that it may have no watch yet.
    private var changedUnwatched: Int?

    /// - Parameters:
    ///   - roots: existing empty directories, all on one file system with `outside`.
    ///   - outside: where subtrees are moved out to.
    init(seed: UInt64, roots: [Path], outside: Path) {
        self.seed = seed
        self.roots = roots
        self.outside = outside
        random = SplitMix64(seed: seed)
    }

    /// Makes one operation; which one, and on what, follows from the seed and from what there is.
    func step() throws {
        while true {
            let operation = ChurnOperation.allCases.randomElement(using: &random)!
            if unsupported.contains(operation) { continue }
            let began = Timestamp.now
            let atRisk = unseenNames()
            do {
                guard let effect = try apply(operation) else { continue }
                note(operation, effect, began)
                if let inode = changedUnwatched.take() { try touch(inode) }
                for (inode, count) in atRisk.sorted(by: { $0.key < $1.key })
                where unseenNames()[inode, default: 0] < count {
                    try touch(inode)
                }
                return
            } catch let error as CallFailed where [EOPNOTSUPP, EINVAL, ENOSYS].contains(error.errno) {
                unsupported.insert(operation)
            }
        }
    }

    private func note(_ operation: ChurnOperation, _ effect: ChurnEffect, _ began: Timestamp) {
        var effect = effect
        effect.keepOnly { isWatched($0) }
        steps.append(
            Step(
                index: steps.count, operation: operation, began: began, ended: .now, present: effect.present,
                gone: effect.gone, flickered: effect.flickered))
    }

    // MARK: what inotify cannot tell

    /// How many names that are new each inode has that was changed in place.
    private func unseenNames() -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for (path, item) in tree.items
        where item.isUnseen && changedInodes.contains(item.inode) && isWatched(path) {
            counts[item.inode, default: 0] += 1
        }
        return counts
    }

    /// An inode was changed, and a new name of it is gone. If the change was made through that name before anyone
    /// looked at it, no event says which inode it was: an older name is touched, so that one does.
    private func touch(_ inode: Int) throws {
        let older = tree.items.filter { $0.value.inode == inode && !$0.value.isUnseen && isWatched($0.key) }
        guard let path = older.keys.min() else { return }
        let began = Timestamp.now
        try Disk.setModified(path, seconds: 1_700_000_000 + steps.count)
        note(.setTimes, ChurnEffect(present: tree.names(of: path)), began)
    }

    func noteChange(of path: Path) {
        guard let inode = tree.items[path]?.inode else { return }
        changedInodes.insert(inode)
        // No event tells of it then: listing the directory shows the new name, and not what became of its inode.
        let isInNewDirectory = tree.items.contains { $0.value.isUnseen && path.isBelow($0.key) }
        if isInNewDirectory && tree.names(of: path).count > 1 { changedUnwatched = inode }
    }

    /// A tracker has caught up with everything.
    func settle() {
        changedInodes = []
        tree.settle(isWatched)
    }

    func isWatched(_ path: Path) -> Bool { roots.contains { path.isAtOrBelow($0) } }

    // MARK: choosing

    func choose(_ kinds: ModelTree.Kind...) -> Path? {
        tree.items.filter { kinds.contains($0.value.kind) && isWatched($0.key) }.map(\.key).sorted()
            .randomElement(using: &random)
    }

    /// A watched directory, a root included, at most five deep.
    func chooseParent() -> Path {
        let deepest = roots[0].bytes.count { $0 == UInt8(ascii: "/") } + 5
        let directories = tree.items.filter {
            $0.value.kind == .directory && isWatched($0.key)
                && $0.key.bytes.count { $0 == UInt8(ascii: "/") } < deepest
        }
        return (directories.map(\.key).sorted() + roots).randomElement(using: &random)!
    }

    /// A path that does not exist: often one that did before.
    func newPath() -> Path {
        while true {
            let path = chooseParent() / newName()
            if !tree.contains(path) { return path }
        }
    }

    private func newName() -> Path {
        nameCount += 1
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return Path(Self.oddNames.randomElement(using: &random)!)
        case 1...5: return "n\(Int.random(in: 0..<12, using: &random))"
        default: return "f\(nameCount)"
        }
    }

    /// What breaks programs that think of names as words: newline, tab, ESC, backslash, invalid UTF-8, a dash
    /// in front, 255 bytes, `*`, a space at the end, what looks like an escape, a look-alike of a log line.
    static let oddNames: [[UInt8]] = [
        Array("new\nline".utf8), Array("tab\tname".utf8), [0x1B] + Array("[31m".utf8), Array("back\\slash".utf8),
        [0xFF, 0xFE, 0x80], Array("-rf".utf8), [UInt8](repeating: 0x6C, count: 255), Array("*".utf8),
        Array("space ".utf8), Array("\\012".utf8), Array("x\n".utf8), Array("é".utf8), [0xC3], [0x01, 0x7F],
    ]

    func content() -> [UInt8] {
        [UInt8](
            repeating: UInt8.random(in: 0x61...0x7A, using: &random), count: Int.random(in: 1...300, using: &random))
    }
}

/// What an operation did to paths.
struct ChurnEffect {
    var present: [Path] = []
    var gone: [Path] = []
    var flickered: [Path] = []

    mutating func keepOnly(_ condition: (Path) -> Bool) {
        present.removeAll { !condition($0) }
        gone.removeAll { !condition($0) }
        flickered.removeAll { !condition($0) }
    }
}
