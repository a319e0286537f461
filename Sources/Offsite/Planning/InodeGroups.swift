import ChangeStore
import LinuxKernel

/// What in a batch has several names, by inode: files, and what else `cp -al` and `rsync --link-dest` link.
struct InodeGroups {
    struct ID: Hashable {
        let device: UInt64
        let inode: UInt64
        init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
    }

    struct Group {
        /// Relative to the source; what the batch tells of comes first.
        var names: [[UInt8]]
        let isFile: Bool
        /// Bytes.
        let size: Int64
    }

    /// In the order in which they came up.
    private(set) var groups: [Group] = []
    private var ids: [ID] = []
    private var places: [ID: Int] = [:]

    var isEmpty: Bool { groups.isEmpty }

    /// Adds a name that the batch tells of.
    mutating func add(_ path: [UInt8], _ status: FileStatus) {
        let id = ID(status)
        if let place = places[id] { return groups[place].names.append(path) }
        places[id] = groups.count
        ids.append(id)
        groups.append(Group(names: [path], isFile: status.type == .file, size: status.size))
    }

    /// Inodes that are asked for in one transaction.
    private static let mostAsked = 1_000

    /// Adds the other names that the index has, as far as they still are names of the same inode.
    mutating func complete(
        from index: InodeNames, _ scope: SourceScope, _ roots: RootCheck, _ look: inout SourceLook
    ) throws {
        var candidates: [(path: [UInt8], place: Int)] = []
        for start in stride(from: 0, to: groups.count, by: Self.mostAsked) {
            let places = start..<min(start + Self.mostAsked, groups.count)
            for (place, paths) in zip(places, try index.paths(inodes: ids[places].map(\.inode))) {
                let names = groups[place].names
                let known = names.count > 16 ? Set(names) : nil
                for path in paths where !roots.isAway(path) {
                    guard let relative = scope.relative(path, isDirectory: false),
                        !(known?.contains(relative) ?? names.contains(relative))
                    else { continue }
                    candidates.append((relative, place))
                }
            }
        }
        // A directory's names one after the other: each is opened once.
        candidates.sort { BatchPlan.precedes($0.path, $1.path) }
        for (path, place) in candidates {
            guard case .present(let status) = look.state(of: path), ID(status) == ids[place] else { continue }
            groups[place].names.append(path)
        }
    }
}

extension BatchSurvey {
    /// Adds what has several names, with all of these.
    ///
    /// - Parameter end: the row up to which `facts` tell; nil in a full pass.
    func add(
        _ found: InodeGroups, _ facts: [[UInt8]: PathFacts], through end: Int64?, _ look: inout SourceLook,
        _ planner: inout BatchPlanner
    ) throws {
        guard !found.isEmpty else { return }
        var found = found
        try found.complete(from: InodeNames(stateDirectory: stateDirectory), scope, roots, &look)
        let later = try end.flatMap { try self.later.paths(after: $0) }
        let kept = later == nil ? [:] : try consumer.work(about: others(found, facts))
        for group in found.groups {
            let paths = group.names.sorted(by: BatchPlan.precedes)
            // In a full pass the first name takes the others along.
            if end == nil, let first = paths.first, facts[scope.absolute(first)] == nil { continue }
            let names = paths.map { path in
                let absolute = scope.absolute(path)
                let pending = facts[absolute]
                let isSynced = pending == nil && later.map { !$0(absolute) } == true && kept[absolute] == nil
                return BatchPlanner.Name(path: path, facts: pending, isSynced: isSynced)
            }
            planner.add(inode: names, isFile: group.isFile, size: group.size)
        }
    }

    /// The absolute paths of the names that the batch does not tell of.
    private func others(_ found: InodeGroups, _ facts: [[UInt8]: PathFacts]) -> some Sequence<[UInt8]> {
        found.groups.lazy.flatMap(\.names).map(scope.absolute).filter { facts[$0] == nil }
    }
}
