/// What a site's Prometheus sees, and which alerts fire at a moment.
struct AlertStory: Sendable {
    let name: String
    /// Series with their values in promtool's notation, one value each interval; without labels: those of their kind.
    let series: [(String, String)]
    var interval = "5m"
    let moment: String
    let firing: [String]

    /// How often the rules are evaluated: stories of days more rarely, which takes promtool long enough.
    var evaluation: String { isLong ? "30m" : interval }
    private var isLong: Bool {
        moment.hasSuffix("d") || Int(moment.dropLast()).map { $0 >= 24 && moment.hasSuffix("h") } ?? false
    }

    /// The values of a series in promtool's notation, one for each evaluation.
    func evaluated(_ values: String) -> String {
        guard isLong else { return values }
        var all: [String] = []
        for word in values.split(separator: " ") {
            let (value, count) =
                word.firstIndex(of: "x").map { (word[..<$0], Int(word[$0...].dropFirst()) ?? 0) } ?? (word, 0)
            let parts = value.split(separator: "+").compactMap { Int($0) }
            for number in 0...count {
                all.append(parts.isEmpty ? "_" : "\(parts[0] + number * (parts.count > 1 ? parts[1] : 0))")
            }
        }
        return stride(from: 0, to: all.count, by: 6).map { all[$0] }.joined(separator: " ")
    }

    /// With what a site has where the story does not say otherwise: a tracker and a worker that live.
    var allSeries: [(String, String)] {
        var all = series
        if !series.contains(where: { $0.0 == "nfs_changes_up" || $0.0 == "no tracker" }) {
            all.append(("nfs_changes_up", "1x3000"))
        }
        if !series.contains(where: { $0.0.hasPrefix("offsite_") || $0.0 == "up" }) {
            let step = interval == "5m" ? 300 : 60
            all.append(("offsite_worker_heartbeat_timestamp", "0+\(step)x3000"))
            all.append(("backup_last_success_timestamp", "0+\(step)x3000"))
        }
        return all.filter { $0.0 != "no tracker" }.map { name, values in
            if name.contains("{") { return (name, values) }
            let isTracker = name.hasPrefix("nfs_changes_") || name == "up"
            return (
                name + (isTracker ? #"{job="node",instance="nas"}"# : #"{job="nfs-offsite-sync",destination="nas"}"#),
                values
            )
        }
    }
}
