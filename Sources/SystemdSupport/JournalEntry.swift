import Logging

/// The fields of one journal entry (systemd.journal-fields(7)), built without sending anything.
struct JournalEntry {
    /// Each `NAME=value`. The value is any bytes, newlines included.
    let fields: [[UInt8]]

    init(_ event: LogEvent, metadata: [(key: String, value: String)], identifier: String) {
        var fields: [[UInt8]] = []
        func add(_ name: String, _ value: String) { fields.append(Array(name.utf8) + [UInt8(ascii: "=")] + value.utf8) }
        // The metadata is in the message as well: `journalctl` without -o, and syslog, show nothing but MESSAGE.
        add("MESSAGE", LogText.line(event.message.description, metadata))
        add("PRIORITY", String(Self.priority(of: event.level)))
        add("SYSLOG_IDENTIFIER", identifier)
        add("CODE_FILE", event.file)
        add("CODE_LINE", String(event.line))
        add("CODE_FUNC", event.function)
        for (key, value) in metadata { add(Self.fieldName(for: key), value) }
        self.fields = fields
    }

    /// The priority of syslog(3) for a level.
    static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// Bytes; journald drops a field with a longer name (journal_field_valid in systemd's journal-file.c).
    private static let longestName = 64
    /// What this entry sets itself; a second value under the same name would make it ambiguous.
    private static let taken: Set<String> = [
        "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "CODE_FILE", "CODE_LINE", "CODE_FUNC",
    ]

    /// A journal field's name for a metadata key: upper case, everything but A–Z, 0–9 and `_` made `_`.
    ///
    /// Names that start with a digit are not allowed, those that start with `_` are journald's own, and those in
    /// `taken` are this entry's: such a key gets the prefix `CHANGES_`.
    static func fieldName(for key: String) -> String {
        let name = String(
            decoding: key.utf8.map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 0x20
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
                default: UInt8(ascii: "_")
                }
            }, as: UTF8.self)
        let startsWell = name.utf8.first.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") } ?? false
        return String((startsWell && !taken.contains(name) ? name : "CHANGES_" + name).prefix(longestName))
    }
}
