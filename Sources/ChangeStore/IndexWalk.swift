import LinuxKernel

/// Goes through every path of the index: the roots by the components of their paths, then in each directory by the bytes
/// of the names, a directory before what is in it. So one path comes before another if its components do, which is what
/// `Position` compares.
///
/// Each directory is read in a transaction of its own, so the walk shows no single moment: what is recorded with a
/// higher sequence number than the history had when it began may or may not be in it.
public final class IndexWalk {
    private let reader: IndexReader
    /// Directories by their parents: (parent, directory), sorted.
    private let children: [(parent: Int64, id: Int64)]

    public init(stateDirectory: [UInt8]) throws(StoreError) {
        reader = try IndexReader(stateDirectory: stateDirectory)
        children = try reader.parents().sorted { $0.parent < $1.parent }
    }

    /// What follows a path.
    public enum Step {
        case next
        /// What is in the directory is passed over.
        case skipContents
        case stop
    }

    /// - Parameters:
    ///   - after: only what comes after this path; empty for everything.
    ///   - visit: gets each path and its attributes, with no transaction open.
    public func run(after: [UInt8] = [], _ visit: ([UInt8], EntryAttributes) throws -> Step) throws {
        let start = after.isEmpty ? nil : Position(after)
        var stack = [Level(path: [], entries: try entries(of: .roots, path: []), next: 0)]
        while var level = stack.popLast() {
            guard level.next < level.entries.count else { continue }
            let entry = level.entries[level.next]
            level.next += 1
            stack.append(level)
            let path = level.path.isEmpty ? entry.name : level.path + [UInt8(ascii: "/")] + entry.name
            let order = start.map { $0.order(of: path) } ?? .after
            var isEntered = entry.directory != nil && order != .before
            if order == .after {
                switch try visit(path, entry.attributes) {
                case .next: break
                case .skipContents: isEntered = false
                case .stop: return
                }
            }
            if isEntered, let directory = entry.directory {
                stack.append(Level(path: path, entries: try entries(of: directory, path: path), next: 0))
            }
        }
    }

    private struct Level {
        let path: [UInt8]
        let entries: [Entry]
        var next: Int
    }

    private struct Entry {
        let name: [UInt8]
        let attributes: EntryAttributes
        let directory: DirectoryID?
    }

    private func entries(of directory: DirectoryID, path: [UInt8]) throws(StoreError) -> [Entry] {
        var numbers: [[UInt8]: DirectoryID] = [:]
        var low = children.startIndex
        var high = children.endIndex
        while low < high {
            let middle = (low + high) / 2
            if children[middle].parent < directory.rawValue { low = middle + 1 } else { high = middle }
        }
        while low < children.endIndex, children[low].parent == directory.rawValue {
            // One that was removed or renamed meanwhile has rows that say so.
            if let child = try reader.directory(DirectoryID(rawValue: children[low].id)), child.parent == directory {
                numbers[child.name] = child.id
            }
            low += 1
        }
        let entries = try reader.entries(of: directory).map { name, entry in
            Entry(name: name, attributes: entry.attributes, directory: numbers[name])
        }
        // The name of a root is a path: there `/a/b` comes before `/a-b`, unlike its bytes.
        return directory == .roots ? entries.sorted { Position($0.name).order(of: $1.name) == .after } : entries
    }
}

/// A path as a place in the walk's order.
private struct Position {
    private let components: [ArraySlice<UInt8>]
    private let path: [UInt8]

    enum Order {
        case before
        /// It, or what it is in.
        case above
        case after
    }

    init(_ path: [UInt8]) {
        self.path = path
        components = path.split(separator: UInt8(ascii: "/"))
    }

    /// Where `other` lies: the order is that of the components, so `a/b` comes before `a-b`.
    func order(of other: [UInt8]) -> Order {
        let others = other.split(separator: UInt8(ascii: "/"))
        for (mine, theirs) in zip(components, others) where mine != theirs {
            return mine.lexicographicallyPrecedes(theirs) ? .after : .before
        }
        return others.count > components.count ? .after : .above
    }
}
