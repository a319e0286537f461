import LinuxKernel
import Logging

/// The text of a log entry as one line of printable characters.
enum LogText {
    /// `message key=value …`, the keys in alphabetical order.
    static func line(_ message: String, _ metadata: [(key: String, value: String)]) -> String {
        var line = escapingControls(message)
        for (key, value) in metadata {
            line += " " + escapingControls(key) + "=" + quotedIfNeeded(value)
        }
        return line
    }

    /// Control characters as the octal escapes of their UTF-8 bytes, such as `\012`: a name in a message can
    /// neither forge a line nor reach the terminal.
    static func escapingControls(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var escaped: [UInt8] = []
        for scalar in text.unicodeScalars {
            let bytes = UTF8.encode(scalar)!
            if isControl(scalar) {
                for byte in bytes { OctalEscapes.append(byte, to: &escaped) }
            } else {
                escaped.append(contentsOf: bytes)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// C0, DEL and C1 (which terminals obey like ESC sequences).
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let escaped = escapingControls(value)
        guard escaped.isEmpty || escaped.unicodeScalars.contains(where: { " \"=".unicodeScalars.contains($0) })
        else { return escaped }
        var quoted = "\""
        for scalar in escaped.unicodeScalars {
            if scalar == "\"" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

/// The metadata of one event: the handler's own, then its provider's, then the event's; a later one wins.
/// An error of the event goes under the key `error`. Sorted by key.
func mergedMetadata(
    _ own: Logger.Metadata, _ provider: Logger.MetadataProvider?, _ event: LogEvent
) -> [(key: String, value: String)] {
    var all = own
    if let provider { all.merge(provider.get()) { _, new in new } }
    if let given = event.metadata { all.merge(given) { _, new in new } }
    if let error = event.error { all["error"] = "\(error)" }
    return all.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
}
