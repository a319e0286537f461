public import LinuxKernel
public import SystemPackage

/// What stands at a path of the source now.
public enum SourceState: Equatable, Sendable {
    case present(FileStatus)
    /// It is not there, and its nearest ancestor that is there is a directory.
    case missing
    /// An ancestor is something else than a directory: whatever is deleted below it goes with that ancestor.
    case blocked
    /// It cannot be told.
    case unknown(Errno)
}

/// Looks at paths below the source, through no symlink, whoever swaps directories meanwhile.
public struct SourceLook: ~Copyable {
    private let base: OwnedDescriptor
    /// The directory of the last look, for the next path in it.
    private var last: (path: [UInt8], state: SourceState?) = ([], .unknown(.badFileDescriptor))
    private var directory: OwnedDescriptor?

    /// - Parameter source: absolute.
    /// - Throws: the errno of openat2(2).
    public init(source: [UInt8]) throws(Errno) {
        base = try OwnedDescriptor.openDirectory(source, access: .look)
    }

    /// Looks at a path relative to the source. Cheapest when the paths of a directory come one after the other.
    public mutating func state(of path: [UInt8]) -> SourceState {
        let slash = path.lastIndex(of: UInt8(ascii: "/"))
        let parent = path[..<(slash ?? 0)]
        let name = slash.map { Array(path[($0 + 1)...]) } ?? path
        if parent != last.path[...] || last.state == .unknown(.badFileDescriptor) {
            directory = nil
            last = (Array(parent), nil)
            do throws(Errno) {
                directory = try OwnedDescriptor.openDirectory(last.path, at: base.number, access: .look)
            } catch {
                last.state = Self.state(for: error)
            }
        }
        if let state = last.state { return state }
        let number = directory?.number ?? base.number
        do throws(Errno) {
            return .present(
                try withCPath(name) { (name) throws(Errno) in try FileStatus.of(name, in: number) })
        } catch {
            return Self.state(for: error)
        }
    }

    private static func state(for error: Errno) -> SourceState {
        switch error {
        case .noSuchFileOrDirectory: .missing
        case .notDirectory, .tooManySymbolicLinkLevels: .blocked
        default: .unknown(error)
        }
    }
}
