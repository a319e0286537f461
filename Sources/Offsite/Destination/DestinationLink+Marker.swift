import Glibc
import LinuxKernel
import SystemPackage

/// This program's own directory at a destination: the marker and the temporary files.
extension DestinationLink {
    /// - Returns: nil when there is none.
    func readMarker() throws(SyncFailure) -> DestinationMarker? {
        if let target = LocalTarget(settings.target) {
            return try target.markerBytes().map { (bytes) throws(SyncFailure) in try understood(bytes) }
        }
        let place = scratch + Array("/read".utf8)
        do throws(Errno) {
            try FileSystemLook.removeTree(place)
            try FileSystemLook.makeDirectory(place)
        } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        defer { try? FileSystemLook.removeTree(place) }
        // By a list: rrsync fails at a path that is not there before rsync can say so. From a module's top: see `top`.
        let (top, prefix) = settings.target.top
        let outcome = try run(
            ["--ignore-times", "--max-size=4k", "--no-relative", "--debug=PROTO"],
            list: [Array(prefix.utf8) + Self.markerPath], [Array("\(top)/".utf8), place + [UInt8(ascii: "/")]],
            source: nil, receiving: Receiving(place: place), isGuarded: false)
        if receiverVersion.isEmpty { receiverVersion = Self.protocolLine(of: outcome.output) }
        if outcome.verdict == .partial, String(decoding: outcome.errors, as: UTF8.self).contains("No such file") {
            return nil
        }
        try check(outcome, "reading the marker")
        return try marker(at: place + Array("/\(DestinationMarker.name)".utf8))
    }

    /// What `--debug=PROTO` says: `(Client) Protocol versions: remote=32, negotiated=32`.
    private static func protocolLine(of output: [UInt8]) -> [UInt8] {
        let beginning = Array("(Client) Protocol versions:".utf8)
        let line = output.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: beginning) }
        return Array(line?.prefix(200) ?? [])
    }

    /// The marker in a file of this host.
    private func marker(at path: [UInt8]) throws(SyncFailure) -> DestinationMarker? {
        let bytes = try? OwnedDescriptor.open(path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK).read(atMost: 4_096)
        return try bytes.map { (bytes) throws(SyncFailure) in try understood(bytes) }
    }

    func understood(_ bytes: [UInt8]) throws(SyncFailure) -> DestinationMarker {
        guard let marker = DestinationMarker(parsing: bytes) else {
            throw .foreignMarker(target: settings.target.text, "cannot be understood")
        }
        return marker
    }

    private static let markerPath = Array("\(DestinationMarker.directory)/\(DestinationMarker.name)".utf8)

    /// Writes the marker, and makes the directory for temporary files.
    ///
    /// - Parameter isNew: there may be none so far.
    func write(_ marker: DestinationMarker, isNew: Bool = false) throws(SyncFailure) {
        let place = scratch + Array("/write".utf8)
        let directory = place + Array("/\(DestinationMarker.directory)".utf8)
        do throws(Errno) {
            try FileSystemLook.makeDirectory(place)
            try FileSystemLook.makeDirectory(directory)
            try FileSystemLook.makeDirectory(directory + Array("/tmp".utf8))
            try replaceFile(directory + Array("/\(DestinationMarker.name)".utf8), with: marker.text)
        } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        let temporary = Array("\(DestinationMarker.directory)/tmp".utf8)
        let outcome = try run(
            ["--ignore-times", "--chmod=D0700,F0600"] + (syncsFiles ? ["--fsync"] : []),
            list: [temporary, Self.markerPath], from: place, to: targetText, isGuarded: !isNew)
        try check(outcome, "writing the marker")
        contact.marker = marker
    }

    /// Where the receiver of `put` makes temporary files. rsync 3.5 opens each directory of this path for each step of each
    /// file, so it is relative to the target where it may be.
    var temporaryDirectory: String {
        let path = "\(DestinationMarker.directory)/tmp"
        if case .daemon = settings.target { return receiverPath(path) }
        if case .ssh = settings.target, !hasShell { return receiverPath(path) }
        return path
    }

    /// Somebody removed the directory for temporary files, without which no file arrives: rsync 3.5 says so, others say
    /// it of each file.
    static func lacksTemporaryDirectory(_ errors: [UInt8]) -> Bool {
        let text = String(decoding: errors, as: UTF8.self)
        return text.contains("temp-dir does not exist")
            || text.contains("\(DestinationMarker.directory)/tmp/") && text.contains("No such file or directory")
    }

    func makeTemporaryDirectory() throws(SyncFailure) {
        let place = scratch + Array("/write".utf8)
        let temporary = "\(DestinationMarker.directory)/tmp"
        do throws(Errno) {
            for path in ["", "/\(DestinationMarker.directory)", "/\(temporary)"] {
                try FileSystemLook.makeDirectory(place + Array(path.utf8))
            }
        } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        let outcome = try run(
            ["--chmod=D0700"], list: [Array(temporary.utf8)], from: place, to: targetText, isGuarded: true)
        try check(outcome, "making the directory for temporary files")
    }

    /// Removes what a receiver that was killed left of files that it was writing.
    func emptyTemporaryDirectory() throws(SyncFailure) {
        let place = scratch + Array("/empty".utf8)
        do throws(Errno) { try FileSystemLook.makeDirectory(place) } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        let outcome = try run(
            ["--recursive", "--delete", "--force"], list: nil, from: place,
            to: targetText + "/\(DestinationMarker.directory)/tmp", isGuarded: true)
        try check(outcome, "emptying the directory for temporary files")
    }
}
