/// The options of rsync that say what of a file is copied besides its content, and how content travels: by the
/// configuration and by what the receiver can.
struct TransferOptions: Equatable {
    let settings: DestinationSettings
    /// The receiver makes no devices, pipes or sockets (rrsync since 3.5.0), and says nothing of it.
    var isRsyncOnly = false
    var compression = ReceiverCompression.none

    /// Owners, modes, ACLs and extended attributes. A comparison takes the same ones, or it would find differences that
    /// no transfer ends. They come after `-a`.
    var attributes: [String] {
        var options: [String]
        switch settings.ownership {
        case .drop: options = ["--no-owner", "--no-group", "--no-devices"]
        case .keep: options = ["--numeric-ids"]
        case .fakeSuper: options = ["--numeric-ids", "-M--fake-super"]
        }
        switch settings.permissions {
        // A receiver without rights could not read or replace its own files otherwise.
        case .keep: if settings.ownership == .drop { options.append("--chmod=Du+rwx,Fu+rw") }
        // What is new gets what the receiver's umask or default ACL gives; what is there is left alone (rsync(1), --chmod).
        case .drop: options += ["--no-perms", "--chmod=ugo=rwX"]
        }
        if settings.acls { options.append("--acls") }
        if settings.xattrs { options.append("--xattrs") }
        if isRsyncOnly { options += ["--no-devices", "--no-specials"] }
        return options
    }

    /// What a restore brings back of a file besides its content; holes stay holes.
    var restored: [String] {
        var options = ["--sparse"]
        if settings.acls { options.append("--acls") }
        if settings.xattrs { options.append("--xattrs") }
        return options
    }

    /// How content travels, and that holes stay holes; rsync before 3.1.3 cannot do that in place.
    ///
    /// - Parameter hasHoles: whether one of the files to be sent has holes; asked only where it matters.
    func content(isInPlace: Bool = false, hasHoles: () -> Bool) -> [String] {
        (isInPlace ? [] : ["--sparse"]) + (isCompressed(hasHoles) ? Self.compressing : [])
    }

    /// How files reach their names. Through the directory for temporary files nothing half-written ever has a name of the
    /// source's. A first copy has nothing to protect: small files are then written in place, which takes the receiver
    /// half the work and puts them beside each other on its disk.
    func placing(isInPlace: Bool, temporary: String) -> [String] {
        if isInPlace { return ["--inplace"] }
        return [
            "--temp-dir=" + temporary, "--partial-dir=" + String(decoding: DestinationLink.partialName, as: UTF8.self),
        ]
    }

    /// Level 1 of whatever both sides agree upon: what is sent first is the zeros of holes and the text of dumps, and with
    /// zlib more than that costs more than it saves.
    static let compressing = ["--compress", "--compress-level=1"]

    private func isCompressed(_ hasHoles: () -> Bool) -> Bool {
        if case .local = settings.target { return false }
        switch (settings.compress, compression) {
        case (.off, _), (_, .none): return false
        case (.on, _), (.auto, .fast): return true
        // zlib takes a whole core for 40 MB/s of what it cannot make smaller; holes it shrinks to nothing.
        case (.auto, .slow): return hasHoles()
        }
    }
}

/// How a receiver takes compressed data.
enum ReceiverCompression: String, CaseIterable {
    case none = "no-compression"
    /// zlib, which all that rsync before 3.2 knows.
    case slow = "zlib"
    /// zstd or LZ4.
    case fast = "fast-compression"

    /// Reads what rsync says with `--debug=NSTR`, `Client compress: zstd (level 1)`; versions before 3.2 say nothing.
    init(negotiated output: [UInt8]) {
        let lines = output.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        let line = lines.first { $0.contains("compress: ") }
        self = line.map { $0.contains("compress: zstd") || $0.contains("compress: lz4") } ?? false ? .fast : .slow
    }
}
