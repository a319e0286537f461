import LinuxKernel

/// Carries the bytes of command-line arguments through `String`, which the argument parser works on, without loss.
///
/// A path argument need not be UTF-8, and Swift's own conversion replaces what is not by U+FFFD. Here a byte N
/// that belongs to no well-formed scalar becomes the private-use scalar U+10FF00 + N, and a well-formed scalar
/// from that range is taken byte by byte as well, so that every argument has exactly one text and back.
enum ArgumentBytes {
    private static let stand: UInt32 = 0x10_FF00
    private static let stands: ClosedRange<UInt32> = 0x10_FF00...0x10_FFFF

    static func text(of bytes: [UInt8]) -> String {
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            let length = UTF8Prefix.length(of: rest)
            if length > 0, let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first,
                !stands.contains(scalar.value)
            {
                text.unicodeScalars.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                text.unicodeScalars.append(Unicode.Scalar(stand + UInt32(first))!)
                rest = rest.dropFirst()
            }
        }
        return text
    }

    static func bytes(of text: String) -> [UInt8] {
        text.unicodeScalars.flatMap { scalar in
            stands.contains(scalar.value) ? [UInt8(scalar.value - stand)] : Array(UTF8.encode(scalar)!)
        }
    }

    /// The arguments of this process, without its name.
    static var ofProcess: [String] { ProcessContext.arguments.dropFirst().map(text(of:)) }
}
