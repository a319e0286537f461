import CBuild
import ChangeStore
import TrackerDaemon

/// What `changes --version` says: which program this is, and which stores it reads.
enum BuildDescription {
    static var text: String {
        text(
            commit: String(cString: changes_commit), date: String(cString: changes_date),
            swift: String(cString: changes_swift))
    }

    /// - Parameters:
    ///   - commit: empty: nobody said which.
    ///   - date: of the commit, `YYYY-MM-DD`.
    ///   - swift: the compiler's version.
    static func text(commit: String, date: String, swift: String) -> String {
        let build = commit.isEmpty ? "a developer's build" : "commit \(commit) of \(date), Swift \(swift)"
        return "\(productVersion) (\(build), store schema \(Store.schemaVersion))"
    }
}
