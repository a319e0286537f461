import LinuxKernel

/// NFS mounts of what this host exports itself.
///
/// From Linux 6.12 on such a mount may read and write the files directly (LOCALIO,
/// Documentation/filesystems/nfs/localio.rst), past what raises inotify events.
struct SelfMountFacts: Sendable {
    var kernel: KernelVersion?
    var mounts: MountTable
    var addresses: Set<NetworkAddress>
    var hostName: [UInt8]
    /// `/sys/module/nfs/parameters/localio_enabled` (fs/nfs/localio.c): `Y` or `N`; nil where there is no such file, as
    /// on a kernel built without it.
    var parameter: UInt8?

    private static let check = "localio"
    private static let introduced = KernelVersion(6, 12)
    private static let file = "/sys/module/nfs/parameters/localio_enabled"

    var findings: [Finding] {
        guard let mount = mounts.entries.first(where: isSelfMount) else {
            return [.ok(Self.check, "no NFS mount of this host's own exports")]
        }
        let place = TerminalText.of(mount.mountPoint)
        let found = "\(place) is an NFS mount of this host's own \(TerminalText.of(mount.source))"
        let path = "use the directory itself instead of \(place)"
        if let kernel, kernel < Self.introduced {
            return [
                .note(
                    Self.check, "\(found); from Linux 6.12 on writes there may raise no event (NFS LOCALIO)",
                    remedy: path)
            ]
        }
        switch parameter {
        case UInt8(ascii: "N"):
            return [.ok(Self.check, "\(found), and NFS LOCALIO is off")]
        case nil:
            return [
                .note(
                    Self.check, "\(found); this kernel seems to be built without NFS LOCALIO", remedy: path)
            ]
        default:
            return [
                .warning(
                    Self.check, "\(found), and with NFS LOCALIO writes there raise no event",
                    remedy: "echo N > \(Self.file), and to keep it: "
                        + "echo options nfs localio_enabled=N > /etc/modprobe.d/nfs-localio.conf; or \(path)")
            ]
        }
    }

    private func isSelfMount(_ mount: MountEntry) -> Bool {
        let type = String(decoding: mount.fileSystemType, as: UTF8.self)
        guard type == "nfs" || type == "nfs4" else { return false }
        let options = mount.fileSystemOptions.split(separator: UInt8(ascii: ","))
        let address = options.first { $0.starts(with: "addr=".utf8) }.map { $0.dropFirst(5) }
        let host = Self.host(of: mount.source)
        if let known = address.flatMap({ NetworkAddress(text: $0) }) ?? NetworkAddress(text: host) {
            return known.isLoopback || addresses.contains(known)
        }
        return host == Array("localhost".utf8) || host == hostName
    }

    /// What stands before the path in `host:/path` or `[fe80::1]:/path`.
    private static func host(of source: [UInt8]) -> [UInt8] {
        if source.first == UInt8(ascii: "[") { return Array(source.dropFirst().prefix { $0 != UInt8(ascii: "]") }) }
        return Array(source.prefix { $0 != UInt8(ascii: ":") })
    }
}
