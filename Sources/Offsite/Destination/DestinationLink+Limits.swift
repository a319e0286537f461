import Glibc
import LinuxKernel
import SystemPackage

/// Trying what the destination's file system holds: odd files are sent to the directory for temporary files and compared
/// with what is there then, which works wherever a transfer does.
extension DestinationLink {
    /// Sends odd files beside those of `probe`, and finds out how the receiver takes compressed data.
    ///
    /// - Throws: `SyncFailure.unsuitable` where two names would be one file, or a symlink none.
    func tryLimits() throws(SyncFailure) -> (limits: DestinationLimits, compression: ReceiverCompression) {
        let place = scratch + Array("/probe".utf8)
        defer { try? FileSystemLook.removeTree(place) }
        let sent: Set<[UInt8]>
        do throws(Errno) { sent = try makeOddFiles(in: place) } catch {
            throw .system("making \(OctalEscapes.display(place))", error)
        }
        let compression = try sendOddFiles(from: place)
        var trial = LimitsTrial()
        let prefix = Array("\(Self.oddName)/".utf8)
        let outcome = try lines(
            ["--dry-run", "-ii"] + oddOptions + [ItemizedLine.format], list: nil, oddSides(place), source: place
        ) { line in
            if let line = ItemizedLine(parsing: line) { trial.take(line, below: prefix) }
        }
        if outcome.verdict != .partial { try check(outcome, "trying the destination") }
        if let flaw = trial.flaw { throw .unsuitable(target: targetText, flaw, text: "") }
        return (trial.limits(sent: sent), compression)
    }

    private static let oddName = "probe"
    private var oddTarget: String { targetText + "/\(DestinationMarker.directory)/tmp" }
    private var oddOptions: [String] { ["-aH"] + attributeOptions }

    /// Without a list: with one that is recursed, a local run that keeps owners in attributes fails (rsync 3.5.0, exit
    /// status 2).
    private func oddSides(_ place: [UInt8]) -> [[UInt8]] {
        [place + Array("/\(Self.oddName)".utf8), Array("\(oddTarget)/".utf8)]
    }

    /// - Returns: how the receiver takes compressed data.
    private func sendOddFiles(from place: [UInt8]) throws(SyncFailure) -> ReceiverCompression {
        // What cannot be there fails, as it is to.
        func send(_ options: [String]) throws(SyncFailure) -> Outcome {
            try run(oddOptions + options, list: nil, oddSides(place), source: place, isGuarded: true)
        }
        if case .local = settings.target {
        } else {
            let outcome = try send(TransferOptions.compressing + ["--debug=NSTR"])
            if [.done, .partial].contains(outcome.verdict) { return ReceiverCompression(negotiated: outcome.output) }
        }
        let outcome = try send([])
        if outcome.verdict != .partial { try check(outcome, "trying the destination") }
        return .none
    }

    /// Makes the files.
    ///
    /// - Returns: the names of those that are what they are to be: a scratch directory has limits too.
    private func makeOddFiles(in place: [UInt8]) throws(Errno) -> Set<[UInt8]> {
        let directory = place + Array("/\(Self.oddName)".utf8)
        try FileSystemLook.removeTree(place)
        try FileSystemLook.makeDirectory(place)
        try FileSystemLook.makeDirectory(directory)
        func path(_ name: [UInt8]) -> [UInt8] { directory + [UInt8(ascii: "/")] + name }
        func make(_ name: [UInt8], _ content: [UInt8] = []) throws(Errno) {
            let file = try OwnedDescriptor.open(path(name), flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
            if let failure = content.withUnsafeBytes({ file.write($0).error }) { throw failure }
        }
        for pair in LimitsTrial.pairs {
            for (number, name) in pair.names.enumerated() {
                try make(name, [UInt8](repeating: 0x78, count: number + 1))
            }
        }
        try makeSymlink(path(LimitsTrial.symlink), to: Array("nowhere".utf8))
        for name in [LimitsTrial.bytes] + LimitsTrial.lengths.map(LimitsTrial.name(ofLength:)) { try? make(name) }
        var sent = Set(FileSystemLook.names(in: directory))
        for time in LimitsTrial.times + [LimitsTrial.oddTime] {
            let name = LimitsTrial.name(ofTime: time)
            try make(name)
            try? FileAttributes.setModified(path(name), seconds: Int(time))
            if try FileAttributes.modifiedSeconds(path(name)) == Int(time) { sent.insert(name) }
        }
        return sent
    }
}
