import LinuxKernel

/// Where a copy is read: the target, or another path of the same host, such as a snapshot of it.
struct CopyPlace {
    /// rsync's argument, with a slash at its end.
    let side: [UInt8]
    /// What a path begins with from there: empty, or with a slash at its end.
    let prefix: [UInt8]
    /// The directory, where it is one of this host.
    let local: [UInt8]?
    /// For people.
    let text: String

    /// - Parameter from: absolute: of the host, or for a daemon from the module's name on; nil: the target itself. Over
    ///   ssh it travels as a part of a list, so that it may have any bytes in it: snapshots have names such as
    ///   `#snapshot/GMT+01-2026.11.25-00.00.01`.
    /// - Throws: `SyncFailure.noTarget`.
    init(_ target: SyncTarget, from: [UInt8]?) throws(SyncFailure) {
        guard let from else {
            text = target.text
            if case .local(let path) = target {
                (side, prefix, local) = (Array("\(path)/".utf8), [], Array(path.utf8))
            } else {
                let (top, prefix) = target.top
                (side, self.prefix, local) = (Array("\(top)/".utf8), Array(prefix.utf8), nil)
            }
            return
        }
        let slash = UInt8(ascii: "/")
        let parts = from.split(separator: slash)
        guard from.first == slash, !parts.isEmpty, !parts.contains(Array("..".utf8)[...]) else {
            throw .noTarget(OctalEscapes.display(from), "--from takes an absolute path of the destination's host")
        }
        let path = Array(parts.joined(separator: [slash]))
        switch target {
        case .local:
            let absolute = (try? FileSystemLook.resolved([slash] + path)) ?? [slash] + path
            (side, prefix, local) = (absolute + [slash], [], absolute)
            text = OctalEscapes.display(absolute)
        case .ssh(let user, let host, _):
            let login = SSHHop(user: user, host: host).login
            (side, prefix, local) = (Array("\(login):/".utf8), path + [slash], nil)
            text = "\(login):/\(OctalEscapes.display(path))"
        case .daemon(let user, let host, let port, _):
            let module = String(decoding: parts[0], as: UTF8.self)
            guard case .daemon? = SyncTarget(parsing: "rsync://host/\(module)") else {
                throw .noTarget(OctalEscapes.display(from), "--from begins with the module's name")
            }
            let top = SyncTarget.daemon(user: user, host: host, port: port, path: module)
            let rest = parts.dropFirst().flatMap { $0 + [slash] }
            (side, prefix, local) = (Array("\(top.text)/".utf8), rest, nil)
            text = top.text + "/" + OctalEscapes.display(rest.dropLast())
        }
    }

    /// An entry as rsync's list has it; of an empty path, and with `contents`, what is in a directory.
    func entry(_ path: [UInt8], contents: Bool = false) -> [UInt8] {
        prefix + path + (contents && !path.isEmpty ? [UInt8(ascii: "/")] : [])
    }

    /// The argument for a path of this host.
    func argument(_ path: [UInt8]) -> [UInt8] { side + path }
}
