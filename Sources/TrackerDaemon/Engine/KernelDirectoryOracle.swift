import LinuxKernel
import SystemPackage
public import Tracking

/// Answers the search for roots from the file system, through no symlink.
public struct KernelDirectoryOracle: DirectoryOracle {
    public init() {}

    public mutating func kind(of path: [UInt8]) -> RootSearch.Kind {
        do throws(Errno) {
            let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
            let parent = try OwnedDescriptor.openDirectory(slash == 0 ? [0x2F] : Array(path[..<slash]), access: .look)
            let status = try withCPath(path.count == 1 ? [0x2E] : Array(path[(slash + 1)...])) { (name) throws(Errno) in
                try FileStatus.of(name, in: parent.number)
            }
            switch status.type {
            case .directory: return .directory
            case .symlink: return .symlink
            default: return .other
            }
        } catch {
            switch error {
            case .noSuchFileOrDirectory, .notDirectory: return .missing
            case .tooManySymbolicLinkLevels: return .symlink
            default: return .unreadable(error.rawValue)
            }
        }
    }

    public mutating func entries(of path: [UInt8]) -> RootSearch.Listing {
        do throws(Errno) {
            let directory = try OwnedDescriptor.openDirectory(path, access: .list)
            let lister = DirectoryLister()
            var entries: [RootSearch.Entry] = []
            try lister.list(directory.number) { name, length, _, isDirectory in
                let bytes = UnsafeRawBufferPointer(start: name, count: length)
                entries.append(RootSearch.Entry(name: [UInt8](bytes), isDirectory: isDirectory))
            }
            return .entries(entries)
        } catch {
            return error == .noSuchFileOrDirectory ? .missing : .unreadable(error.rawValue)
        }
    }
}
