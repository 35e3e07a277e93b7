# The full path of the file, resolved against PowerShell's location and drives, which the library does not know.
function Resolve-ImportPath {
    param($Runtime, [string] $Path)

    $file = [UMMailboxPin.FilePath]::Resolve($Runtime, $Path)
    $problem = $file.Problem
    if (-not $problem -and [System.IO.Directory]::Exists($file.FullName)) {
        $problem = "'$($file.FullName)' is a folder and not a file."
    }
    if (-not $problem -and -not [System.IO.File]::Exists($file.FullName)) {
        $problem = "The file '$($file.FullName)' does not exist."
    }
    if ($problem) {
        $Runtime.Terminate($Runtime.NewError('ImportInvalid', $problem, 'Pass the path of a CSV or LDIF file.', $Path))
    }
    $file.FullName
}
