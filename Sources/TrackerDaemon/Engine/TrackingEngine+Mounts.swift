import ChangeStore
import LinuxKernel
import Logging
import SystemPackage
import Tracking

/// File systems that come and go below the roots, and those that are not entered.
extension TrackingEngine {
    /// Compares the mount table with what it was, and has each changed place looked at.
    func takeMountChanges() throws(StoreError) {
        fileSystems.removeAll()
        installExclusions()
        guard let table = try? currentMounts() else { return }
        for change in table.difference(from: mounts) {
            switch change {
            case .mounted(let entry), .unmounted(let entry), .changed(_, let entry):
                try lookAtMountPoint(entry.mountPoint)
            }
        }
        mounts = table
    }

    func currentMounts() throws(Errno) -> MountTable {
        let file = try MountTable.open()
        return try MountTable.read(file.number)
    }

    private func lookAtMountPoint(_ path: [UInt8]) throws(StoreError) {
        for root in tree.roots {
            let prefix = tree.name(of: root) + [UInt8(ascii: "/")]
            guard path.starts(with: prefix) else { continue }
            var node = root
            let components = path.dropFirst(prefix.count).split(separator: UInt8(ascii: "/"))
            guard let last = components.last else { continue }
            for component in components.dropLast() {
                // Below a directory that is unknown or excluded a mount is nobody's business here.
                guard !isExcluded(component, in: node),
                    let child = component.withUnsafeBytes({ tree.child(of: node, named: $0) })
                else { return }
                node = child
            }
            if isExcluded(last, in: node) { return }
            marks.mark(Array(last), in: node, [.directory, .putOff])
            queue(node, .queuedGap)
        }
    }

    private func isExcluded(_ component: ArraySlice<UInt8>, in node: NodeID) -> Bool {
        component.withUnsafeBytes { interpreter.isExcluded($0, node, true) }
    }

    // MARK: Another file system at a name

    /// Another directory is at a child's name: whether something was mounted there or unmounted, rather than the child
    /// removed.
    func isMountChange(
        _ child: NodeID, _ name: UnsafeRawBufferPointer, in parent: NodeID, _ status: FileStatus
    ) throws(StoreError) -> Bool {
        if tree.state(of: child).contains(.removalSeen) { return false }
        if expected[child] != nil || status.isMountRoot || tree.state(of: child).contains(.notEntered) { return true }
        guard let directory = tree.directory(of: parent),
            let known = try store.entry(in: directory, named: name)
        else { return false }
        switch known.attributes.boundary {
        case .mount: return true
        case .subvolume: return false
        // Nothing says that it was another file system's, and yet it was: it is not known how.
        case .none: return known.key.fileSystem != tree.identity(of: parent).key.fileSystem
        }
    }

    /// Another file system is where a directory was. What is known below it is held; where nothing is, there is nothing
    /// that could be taken for deleted.
    func meetOtherFileSystem(_ node: NodeID, seen identity: DirectoryIdentity) throws(StoreError) {
        if tree.isRoot(node) || expected[node] != nil { return hold(node, seen: identity) }
        if try !isKnownEmpty(node) { return hold(node, seen: identity) }
        tree.setIdentity(identity, of: node)
        tree.clearState(.notEntered, of: node)
        if let directory = tree.directory(of: node), let parent = parentDirectory(of: node) {
            try tree.name(of: node).withRawBytes { (name) throws(StoreError) in
                try store.updateDirectory(directory, name: name, in: parent, identity: identity)
            }
        }
        queue(node, [.queuedDeep, .queuedGap])
    }

    private func isKnownEmpty(_ node: NodeID) throws(StoreError) -> Bool {
        var isEmpty = true
        tree.forEachChild(of: node) { _ in isEmpty = false }
        guard isEmpty, let directory = tree.directory(of: node) else { return isEmpty }
        return try store.isEmpty(directory)
    }

    /// Another file system is where a directory was, or the one that was expected is back.
    func hold(_ node: NodeID, seen identity: DirectoryIdentity) {
        let path = printable(tree.path(of: node))
        if expected[node] == identity {
            expected[node] = nil
            // If one was removed, it was the other.
            tree.clearState([.held, .removalSeen], of: node)
            log.notice("the expected file system is back", metadata: ["path": "\(path)"])
        } else {
            if expected[node] == nil { expected[node] = tree.identity(of: node) }
            tree.setState(.held, of: node)
            log.warning(
                "another file system or directory is here than before: what is missing in it is not taken for deleted",
                metadata: ["path": "\(path)", "remedy": "mount the right one, or run: changes accept \(path)"])
        }
        tree.setIdentity(identity, of: node)
        tree.clearState(.notEntered, of: node)
        queue(node, [.queuedDeep, .queuedGap])
    }

    // MARK: What is not entered

    /// Whether what is in a directory is tracked: not on a remote or user-space file system, and with
    /// `one_file_system` not across a mount.
    func mayEnter(_ node: NodeID, _ fileSystem: FileSystemID, device: UInt64) -> Bool {
        if isForeign(device: device) { return false }
        return !settings.oneFileSystem || tree.isRoot(node)
            || fileSystem == tree.identity(of: tree.parent(of: node)).key.fileSystem
    }

    /// Leaves a directory alone from now on. What the index has of it is no longer covered, unless it is hidden: then it
    /// may come back.
    func leaveUnentered(_ node: NodeID) throws(StoreError) {
        tree.setState(.notEntered, of: node)
        if let watch = tree.clearWatch(of: node) { instance.inotify.remove(watch) }
        if polled.remove(node) != nil { tree.clearState(.polled, of: node) }
        guard expected[node] == nil, let directory = tree.directory(of: node) else { return }
        var entries: [([UInt8], IndexedEntry)] = []
        try store.forEachEntry(in: directory) { entries.append(([UInt8]($0), $1)) }
        for (name, entry) in entries {
            try name.withTerminatedName { (name) throws(StoreError) in try untrack(entry, name, in: node) }
        }
    }
}
