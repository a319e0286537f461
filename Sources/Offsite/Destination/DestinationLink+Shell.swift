import LinuxKernel

/// What the destination's shell does, where there is one, in a command instead of a few runs of rsync.
extension DestinationLink {
    private var place: String { ownPlace }
    private static let separator = "nfs-changes-room"

    /// The marker, and how much room there is; which rsync it has is in `receiverVersion` then.
    ///
    /// - Returns: nil for what there is not, or where nobody can be asked for the room.
    func greet() throws(SyncFailure) -> (marker: DestinationMarker?, room: FileSystemSpace?) {
        guard case .ssh(_, _, let path) = settings.target, hasShell else {
            room = roomHere
            return (try readMarker(), room)
        }
        let marker = "\(place)/\(DestinationMarker.name)"
        let result = try shell(
            "test ! -f \(marker) || head -c 4096 \(marker) || exit 3; echo; echo \(Self.separator); "
                + "rsync --version 2>&1 | head -n 1; df -Pk \(path) || :")
        try check(result, "reading the marker")
        guard let parts = Self.parts(Array(result.output.prefix(16_384))) else { return (nil, nil) }
        let lines = parts.rest.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
        receiverVersion = Array(lines[0].prefix(200))
        room = Self.space(parsing: lines.count > 1 ? Array(lines[1]) : [])
        return (parts.marker.isEmpty ? nil : try understood(parts.marker), room)
    }

    /// What stands before and after the separator's line, without the newline that was put before it.
    private static func parts(_ output: [UInt8]) -> (marker: [UInt8], rest: [UInt8])? {
        let line = Array("\n\(separator)\n".utf8)
        let end = output.indices.first { output[$0...].starts(with: line) }
        return end.map { (Array(output[..<$0]), Array(output[($0 + line.count)...])) }
    }

    /// What was sent is on the destination's disk when this returns, and the marker says so. Nothing is written where
    /// there is no marker or another than this host knows, or while another receiver is at work. How much room is left is in `room` then.
    func seal(_ marker: DestinationMarker) throws(SyncFailure) {
        if let target = LocalTarget(settings.target) {
            try target.replaceMarker(marker)
            contact.marker = marker
            room = roomHere
            return
        }
        let result = try shell(ReceiverGuard.command(in: place, script(next: marker).sealing))
        if ReceiverScript.isRefused(result.status, result.errors) { throw otherMarker }
        if result.status != 0 { contact.possible = marker }
        try check(result, "making the copy durable and writing the marker")
        contact.marker = marker
        room = ReceiverScript.room(in: result.errors).flatMap(Self.space(parsing:)) ?? room
    }

    private func check(_ result: ProgramRun.Result, _ step: String) throws(SyncFailure) {
        // rrsync's words for any other command.
        if result.status == 1, String(decoding: result.errors, as: UTF8.self).contains("does not run rsync") {
            throw .changed(target: targetText, "its key runs rsync only now")
        }
        let verdict: RsyncVerdict =
            switch result.status {
            case _ where result.wasInterrupted: .interrupted
            // A command's own failure: a disk that is full, say.
            case 1, 2: RsyncVerdict(status: 12, errors: result.errors)
            case let status: RsyncVerdict(status: status, errors: result.errors)
            }
        try check(Outcome(verdict: verdict, status: result.status, errors: result.errors), step)
    }
}
