import LinuxKernel
import SystemPackage

/// Something of the host that a sandbox shows.
struct SandboxBind {
    enum Kind { case file, directory, device }

    /// Absolute.
    let origin: [UInt8]
    /// Where it is in the sandbox; absolute.
    let place: [UInt8]
    let kind: Kind
    let isWritable: Bool
    let isOptional: Bool
    let followsLinks: Bool

    init(
        _ origin: [UInt8], _ kind: Kind, at place: [UInt8]? = nil, isWritable: Bool = false, isOptional: Bool = false,
        followsLinks: Bool = true
    ) {
        self.origin = origin
        self.place = place ?? origin
        self.kind = kind
        self.isWritable = isWritable
        self.isOptional = isOptional
        self.followsLinks = followsLinks
    }

    /// Programs and libraries. Not all of /usr: what a swapped directory might lead to is to be as little as possible.
    private static let directories = [
        "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec",
        "/usr/local/bin",
        "/usr/local/sbin", "/usr/local/lib",
    ]
    /// Links into /usr, or directories on a host that has not merged them.
    private static let topLevel = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
    private static let devices = ["/dev/null", "/dev/zero", "/dev/urandom"]

    /// What every sandbox has.
    static func system() throws(SandboxFailure) -> [SandboxBind] {
        var binds = directories.map { SandboxBind(Array($0.utf8), .directory, isOptional: true) }
        for path in topLevel.map({ Array($0.utf8) }) where link(at: path) == nil {
            binds.append(SandboxBind(path, .directory, isOptional: true))
        }
        binds += devices.map { SandboxBind(Array($0.utf8), .device) }
        binds.append(SandboxBind(Array("/etc/ld.so.cache".utf8), .file, isOptional: true))
        return binds
    }

    /// Of the top-level directories, those that are symlinks.
    static func links() throws(SandboxFailure) -> [(place: [UInt8], target: [UInt8])] {
        topLevel.compactMap { path in
            let path = Array(path.utf8)
            return link(at: path).map { (path, $0) }
        }
    }

    private static func link(at path: [UInt8]) -> [UInt8]? { try? readLink(path) }

    /// Whether a program or library is in one of the directories that every sandbox has.
    static func isSystem(_ path: [UInt8]) -> Bool {
        (directories + topLevel).contains { path.starts(with: Array($0.utf8) + [UInt8(ascii: "/")]) }
    }
}

/// A bind that was copied from the host, and waits to be attached in the new root.
final class SandboxCopy {
    private let bind: SandboxBind
    private var mount: MountCopy?

    /// - Returns: nil for one that is optional and not there.
    init?(_ bind: SandboxBind) throws(SandboxFailure) {
        self.bind = bind
        do throws(Errno) {
            let opened =
                switch (bind.kind, bind.followsLinks) {
                case (.directory, false): try OwnedDescriptor.openDirectory(bind.origin, access: .look)
                case (.directory, true): try OwnedDescriptor.openReference(bind.origin, isDirectory: true)
                default: try OwnedDescriptor.openReference(bind.origin, isDirectory: false)
                }
            mount = try MountCopy(of: opened.number, recursive: bind.kind == .directory)
        } catch {
            if bind.isOptional && error == .noSuchFileOrDirectory { return nil }
            throw SandboxFailure("bind", bind.origin, error)
        }
    }

    /// Attaches it below the working directory.
    func attach() throws(SandboxFailure) {
        guard let mount = mount.take() else { return }
        var restrictions: MountCopy.Restrictions = .noSetUser
        if bind.kind != .device { restrictions.insert(.noDevices) }
        if !bind.isWritable { restrictions.insert(.readOnly) }
        do throws(Errno) {
            let target = try makeMountPoint(Array(bind.place.dropFirst()), isDirectory: bind.kind == .directory)
            try mount.attach(to: target.number, restrictions)
        } catch {
            throw SandboxFailure("bind", bind.place, error)
        }
    }
}
