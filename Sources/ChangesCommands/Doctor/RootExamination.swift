import LinuxKernel
import SystemPackage
import TrackerDaemon
import Tracking

/// Looks for the roots as the tracker does, and at what is directly in them.
struct RootExamination {
    var configuration: Configuration
    var file: [UInt8]
    var mounts: MountTable

    func facts() -> RootFacts {
        let patterns = configuration.watch.roots.compactMap { try? RootPattern($0) }
        var oracle = KernelDirectoryOracle()
        let whole = RootSearch(patterns, in: &oracle)
        var told: Set<RootSearch.Note> = []
        var facts = RootFacts(file: file, patterns: [], roots: whole.roots.map(look))
        for pattern in patterns {
            let search = RootSearch([pattern], in: &oracle)
            facts.patterns.append(
                RootFacts.Pattern(
                    source: pattern.source, matches: search.roots,
                    notes: search.notes.filter { told.insert($0).inserted }))
        }
        facts.nested = whole.notes.filter { note in
            guard case .nested = note else { return false }
            return told.insert(note).inserted
        }
        for case .symlink(let path) in told { facts.targets[path] = try? FileSystemLook.resolved(path) }
        return facts
    }

    private func look(_ path: [UInt8]) -> RootFacts.Root {
        var root = RootFacts.Root(path: path, fileSystemType: mounts.entry(covering: path)?.fileSystemType)
        // Whose file server hangs is not touched.
        if root.fileSystemType.map(FileSystemKinds.isForeign) == true {
            root.isForeign = true
            return root
        }
        do throws(Errno) {
            let directory = try OwnedDescriptor.openDirectory(path, access: .list)
            root.isForeign = try FileSystemIdentity(of: directory.number).isForeign
            if !root.isForeign { root.unreadable = try Self.unreadable(in: directory.number, path) }
        } catch {
            root.failure = error
        }
        return root
    }

    /// The directories in an open directory that this user may not list.
    private static func unreadable(in directory: CInt, _ path: [UInt8]) throws(Errno) -> [[UInt8]] {
        var refused: [[UInt8]] = []
        let lister = DirectoryLister()
        try lister.list(directory) { name, length, _, isDirectory in
            guard isDirectory != false else { return }
            do throws(Errno) {
                _ = try OwnedDescriptor.openDirectory(entry: name, of: directory, access: .list)
            } catch {
                guard error == .permissionDenied || error == .notPermitted else { return }
                refused.append(
                    path + [UInt8(ascii: "/")] + [UInt8](UnsafeRawBufferPointer(start: name, count: length)))
            }
        }
        return refused
    }
}
