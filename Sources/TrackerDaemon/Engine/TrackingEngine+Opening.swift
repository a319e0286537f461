import ChangeStore
import LinuxKernel
import Logging
import SystemPackage
import Tracking

/// What came of opening a directory where the tree believes it to be.
enum Opened: ~Copyable {
    /// It is there, and is the inode that the node means.
    case directory(OpenDirectory)
    /// Something else is there, or nothing.
    case notThere
    /// It cannot be told: an error that says nothing about existence.
    case refused(Errno)
}

extension TrackingEngine {
    /// Opens a directory by its path, through no symlink, and checks that it is the one meant: between an event and the
    /// look an ancestor may have been renamed, replaced or unmounted, and a look by path would answer about another.
    func open(_ node: NodeID, for access: DirectoryAccess) throws(StoreError) -> Opened {
        guard tree.isRoot(tree.root(of: node)) else { return .notThere }
        let opened: OpenDirectory
        do throws(Errno) {
            opened = try OpenDirectory(tree.path(of: node), access: access)
        } catch {
            switch error {
            case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return .notThere
            default: return .refused(error)
            }
        }
        let identity = try identity(of: opened.status, through: opened.descriptor.number)
        return identity == tree.identity(of: node) ? .directory(opened) : .notThere
    }

    /// The identity of the directory that `status` tells of, which `descriptor` has open or is on the file system of.
    func identity(of status: FileStatus, through descriptor: CInt) throws(StoreError) -> DirectoryIdentity {
        let known = try fileSystem(device: status.device, through: descriptor)
        return DirectoryIdentity(
            key: InodeKey(fileSystem: known.id, inode: status.inode), born: status.born.nanoseconds)
    }

    private func fileSystem(device: UInt64, through descriptor: CInt) throws(StoreError) -> KnownFileSystem {
        if let known = fileSystems[device] { return known }
        do throws(Errno) {
            let identity = try FileSystemIdentity(of: descriptor)
            let known = KnownFileSystem(id: try intern(identity), isForeign: identity.isForeign)
            fileSystems[device] = known
            if identity.hasTimelessMappings { interpreter.timelessMappings.insert(known.id) }
            return known
        } catch {
            // Without an identity the device number has to do until the next look.
            return KnownFileSystem(id: FileSystemID(rawValue: -1), isForeign: false)
        }
    }

    private func intern(_ identity: FileSystemIdentity) throws(Errno) -> FileSystemID {
        do throws(StoreError) { return try store.fileSystem(identity) } catch { throw .ioError }
    }

    /// The key of an entry of an open directory. An entry on another device is a mount point: it is opened to learn
    /// which file system that is.
    func key(
        of status: FileStatus, named name: UnsafeRawBufferPointer, in directory: CInt
    ) throws(StoreError) -> InodeKey {
        if let known = fileSystems[status.device] {
            return InodeKey(fileSystem: known.id, inode: status.inode)
        }
        let pointer = name.baseAddress!.assumingMemoryBound(to: CChar.self)
        if let opened = try? OwnedDescriptor.openEntry(pointer, of: directory) {
            return InodeKey(
                fileSystem: try fileSystem(device: status.device, through: opened.number).id, inode: status.inode)
        }
        return InodeKey(fileSystem: FileSystemID(rawValue: -1), inode: status.inode)
    }

    func isForeign(device: UInt64) -> Bool { fileSystems[device]?.isForeign ?? false }

    /// A directory that cannot be read or searched: told once, kept in the index as it is.
    func tell(refused error: Errno, _ node: NodeID) {
        guard unreadable.insert(node).inserted else { return }
        tree.setState(.unreadable, of: node)
        log.warning(
            "a directory cannot be read: its changes are not seen until that is mended",
            metadata: ["path": "\(printable(tree.path(of: node)))", "errno": "\(error)"])
    }

    /// A path for a log message; the handlers escape what a terminal must not see.
    func printable(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
}
