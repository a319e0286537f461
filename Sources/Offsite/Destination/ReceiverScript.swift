import LinuxKernel

/// What a shell at the destination does around the receiver. Nothing is written beside another marker than those that this
/// host may have left, nor is one replaced. Where the next marker is named, a batch takes one round trip: when rsync is done,
/// the copy is made durable and that one is written.
///
/// The receiver's end tells whether it may: one whose sender left anything out ends with another status than 0 (sender.c
/// and io.c, `MSG_IO_ERROR`), but for names that were gone when the list was made, of which it never hears. Then the
/// marker names a row that is noted as announced, and the batch goes on.
struct ReceiverScript {
    /// This program's own directory at the destination: plain, no quotes needed.
    let place: String
    /// What the marker may be; none: anything.
    var expected: [DestinationMarker] = []
    /// What it becomes; nil: it stays.
    var next: DestinationMarker?

    /// Stands before what df(1) says, on standard error.
    static let separator = "nfs-changes-room"

    /// The status of a marker that is another. rsync keeps a status above all of its own (cleanup.c), if ssh ends in time.
    private static let isOther: Int32 = 78
    /// What is said on standard error then.
    private static let refusal = "nfs-changes: the marker is another"

    private var marker: String { "\(place)/\(DestinationMarker.name)" }
    private var refusing: String { "{ echo \"\(Self.refusal)\" >&2; exit \(Self.isOther); }" }

    /// Commands of sh(1), without single quotes; `"$@"` is the receiver's command line.
    var text: String {
        guard next != nil else { return "\(comparison)exec \"$@\"" }
        return comparison + "\"$@\" || exit; " + writing
    }

    /// The same without a receiver.
    var sealing: String { comparison + writing }

    /// Defines `known`, which looks at the marker: it may have changed while the receiver was at work, or the disk.
    private var comparison: String {
        if expected.isEmpty { return "known() { :; }; " }
        let tests = expected.map { "test \"$m\" = \"$(\(Self.printing($0)))\"" }.joined(separator: " || ")
        // All without their last newline.
        return "known() { m=$(cat \(marker)); \(tests); }; known || \(refusing); "
    }

    /// The new marker is on the disk before it takes the old one's name: a power loss leaves one of them.
    private var writing: String {
        guard let next else { return "" }
        return
            "umask 077; \(Self.printing(next)) >\(marker).new && { sync -f \(place) 2>/dev/null || sync; } || exit 12; "
            + "known || { rm -f \(marker).new; \(refusing); }; mv -f \(marker).new \(marker) || exit 12; "
            + "echo \(Self.separator) >&2; df -Pk \(place) >&2 || :"
    }

    /// Every byte as an octal escape, which no quoting touches.
    private static func printing(_ marker: DestinationMarker) -> String {
        let bytes = marker.text.map { byte in
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        return "printf \"\(bytes.joined())\""
    }

    /// Whether the marker was another.
    static func isRefused(_ status: Int32, _ errors: [UInt8]) -> Bool {
        status == isOther || status != 0 && String(decoding: errors, as: UTF8.self).contains(refusal)
    }

    /// What df(1) said at the end.
    static func room(in errors: [UInt8]) -> [UInt8]? {
        let line = Array("\(separator)\n".utf8)
        let start = errors.indices.last { errors[$0...].starts(with: line) }
        return start.map { Array(errors[($0 + line.count)...]) }
    }
}
