import CLinux
import Glibc

/// What a churn does to a tree.
enum ChurnOperation: CaseIterable, Sendable {
    case createFile, write, append, truncate, rewriteInPlace, writeMapped, changeMode, changeOwner, setTimes
    case unlink, makeDirectory, removeDirectory, removeTree, renameFile, renameOver, renameDirectory
    case moveOut, moveBackIn, exchangeFiles, exchangeDirectories, makeSymlink, replaceDirectoryByFile
    case replaceDirectoryBySymlink, hardlink, hardlinkAcrossRoots, writeThroughLink, removeAndRecreate, setAttribute
    case makeFIFO, linkTemporary, renameThereAndBack, renameChain
}

extension Churn {
    /// Makes one operation on the disk and on the model.
    ///
    /// - Returns: what it did; nil if there is nothing to do it to.
    func apply(_ operation: ChurnOperation) throws -> ChurnEffect? {
        switch operation {
        case .createFile:
            // The trees stay small enough for the naive model.
            guard tree.items.count < 600 else { return nil }
            let path = newPath()
            try Disk.write(path, content())
            tree.add(path, .file)
            return ChurnEffect(present: [path])
        case .write, .append, .truncate, .rewriteInPlace, .writeMapped, .changeMode, .changeOwner, .setTimes,
            .writeThroughLink, .setAttribute:
            return try changeInPlace(operation)
        case .makeDirectory, .makeSymlink, .makeFIFO, .linkTemporary, .hardlink, .hardlinkAcrossRoots:
            return tree.items.count < 600 ? try make(operation) : nil
        case .unlink, .removeDirectory, .removeTree, .removeAndRecreate, .replaceDirectoryByFile,
            .replaceDirectoryBySymlink:
            return try remove(operation)
        case .renameFile, .renameOver, .renameDirectory, .moveOut, .moveBackIn, .exchangeFiles, .exchangeDirectories,
            .renameThereAndBack, .renameChain:
            return try rename(operation)
        }
    }

    private func changeInPlace(_ operation: ChurnOperation) throws -> ChurnEffect? {
        let path: Path?
        switch operation {
        case .changeMode, .setAttribute: path = choose(.file, .directory)
        case .changeOwner, .setTimes: path = choose(.file, .directory, .symlink)
        case .writeThroughLink:
            path = tree.items.filter {
                $0.value.kind == .file && isWatched($0.key) && tree.names(of: $0.key).count > 1
            }.keys.sorted().randomElement(using: &random)
        default: path = choose(.file)
        }
        guard let path else { return nil }
        switch operation {
        case .write, .writeThroughLink: try Disk.write(path, content())
        case .append: try Disk.append(path, content())
        case .truncate: try Disk.truncate(path, to: Int.random(in: 0...200, using: &random))
        case .rewriteInPlace: try rewriteInPlace(path)
        case .writeMapped: try writeMapped(path)
        case .changeMode:
            try Disk.changeMode(path, [0o700, 0o750, 0o755, 0o775].randomElement(using: &random)!)
        case .changeOwner:
            // Only root can give files away; for others it still moves the ctime and raises the event.
            let owner = Privilege.isRoot ? uid_t.random(in: 1000...1005, using: &random) : geteuid()
            try Disk.changeOwner(path, owner, Privilege.isRoot ? owner : getegid())
        case .setTimes:
            try Disk.setModified(path, seconds: Int.random(in: 1_000_000_000..<1_700_000_000, using: &random))
        default: try Disk.setAttribute(path, "user.churn", content())
        }
        noteChange(of: path)
        return ChurnEffect(present: tree.names(of: path))
    }

    /// The same size, and where the file has a size the first byte another.
    private func rewriteInPlace(_ path: Path) throws {
        try Disk.withOpen(path, O_RDWR) { descriptor in
            var byte: UInt8 = 0
            guard pread(descriptor, &byte, 1, 0) == 1 else { return try Disk.put([0x2E], to: descriptor, path) }
            byte ^= 1
            guard pwrite(descriptor, &byte, 1, 0) == 1 else {
                throw CallFailed(call: "pwrite", path: path, errno: errno)
            }
        }
    }

    private func writeMapped(_ path: Path) throws {
        try Disk.withOpen(path, O_RDWR) { descriptor in
            var status = stat()
            fstat(descriptor, &status)
            guard status.st_size > 0 else { return try Disk.put([0x2E], to: descriptor, path) }
            let mapping = mmap(nil, Int(status.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            guard let mapping, mapping != MAP_FAILED else { throw CallFailed(call: "mmap", path: path, errno: errno) }
            let byte = mapping.assumingMemoryBound(to: UInt8.self)
            byte.pointee ^= 1
            msync(mapping, Int(status.st_size), MS_SYNC)
            munmap(mapping, Int(status.st_size))
        }
    }

    private func make(_ operation: ChurnOperation) throws -> ChurnEffect? {
        let path = newPath()
        switch operation {
        case .makeDirectory:
            try Disk.makeDirectory(path)
            tree.add(path, .directory)
        case .makeSymlink:
            try Disk.symlink(["/etc", "nowhere", "..", "n1"].randomElement(using: &random)!, at: path)
            tree.add(path, .symlink)
        case .makeFIFO:
            try Disk.makeFIFO(path)
            tree.add(path, .fifo)
        case .linkTemporary:
            try Disk.withOpen(path.parent, O_WRONLY | O_DIRECTORY | 0o20000000) { descriptor in  // O_TMPFILE
                try Disk.put(content(), to: descriptor, path)
                let source = Path("/proc/self/fd/\(descriptor)")
                try Disk.check("linkat", path) { name in
                    source.withCString { linkat(AT_FDCWD, $0, AT_FDCWD, name, AT_SYMLINK_FOLLOW) }
                }
                try Disk.put(content(), to: descriptor, path)
            }
            tree.add(path, .file)
        default:
            guard let existing = choose(.file, .symlink, .fifo) else { return nil }
            if operation == .hardlinkAcrossRoots {
                let isSameRoot = roots.contains { path.isBelow($0) && existing.isBelow($0) }
                if isSameRoot { return nil }
            }
            try Disk.link(existing, path)
            tree.link(existing, path)
        }
        return ChurnEffect(present: [path])
    }

    private func remove(_ operation: ChurnOperation) throws -> ChurnEffect? {
        switch operation {
        case .unlink:
            guard let path = choose(.file, .symlink, .fifo) else { return nil }
            try Disk.unlink(path)
            return ChurnEffect(gone: tree.remove(path))
        case .removeDirectory:
            let empty = tree.items.filter { item in
                item.value.kind == .directory && isWatched(item.key) && tree.tree(item.key).count == 1
            }
            guard let path = empty.keys.sorted().randomElement(using: &random) else { return nil }
            try Disk.removeDirectory(path)
            return ChurnEffect(gone: tree.remove(path))
        case .removeAndRecreate:
            guard let path = choose(.file) else { return nil }
            try Disk.unlink(path)
            try Disk.write(path, content())
            tree.remove(path)
            tree.add(path, .file)
            return ChurnEffect(present: [path], flickered: [path])
        default:
            guard let path = choose(.directory), tree.tree(path).count < 40 else { return nil }
            try Disk.removeTree(path)
            let gone = tree.remove(path)
            if operation == .removeTree { return ChurnEffect(gone: gone) }
            if operation == .replaceDirectoryByFile {
                try Disk.write(path, content())
                tree.add(path, .file)
            } else {
                try Disk.symlink("/etc", at: path)
                tree.add(path, .symlink)
            }
            return ChurnEffect(present: [path], gone: gone.filter { $0 != path }, flickered: [path])
        }
    }
}
