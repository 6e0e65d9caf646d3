@echo off
rem Builds what is newer than the last build, then runs it.
setlocal
set "ROOT=%~dp0"
where dotnet >nul 2>nul
if errorlevel 1 (
  echo speedup: the .NET 10 SDK is missing: https://dotnet.microsoft.com/download/dotnet/10.0 1>&2
  exit /b 1
)
set MSBUILDDISABLENODEREUSE=1
set DOTNET_CLI_USE_MSBUILD_SERVER=0
dotnet build -c Release "%ROOT%src\SpeedupLlm.Cli" --nologo -v q >"%TEMP%\speedup-build.log" 2>&1
if errorlevel 1 (
  echo speedup: the build failed: 1>&2
  type "%TEMP%\speedup-build.log" 1>&2
  exit /b 1
)
dotnet "%ROOT%src\SpeedupLlm.Cli\bin\Release\net10.0\speedup.dll" %*
exit /b %errorlevel%
