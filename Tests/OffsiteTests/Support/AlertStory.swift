import Testing

/// What a site's Prometheus sees, and which alerts fire at a moment.
struct AlertStory: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Series with their values in promtool's notation, one value each interval; without labels: those of their kind.
    let series: [(String, String)]
    var interval = "5m"
    let moment: String
    let firing: [String]

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
